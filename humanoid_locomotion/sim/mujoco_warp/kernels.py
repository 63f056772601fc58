# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parallel compilation of Warp's kernels before their first launch.

Warp compiles a module of kernels when one of them is first launched. On a machine without compiled
kernels that is some forty modules, one after the other. Here a step is run once with its launches
recorded and not executed, and the modules that Warp's cache lacks are compiled by forked
processes. A module that is not compiled here is compiled by Warp at its first launch, as usual.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path
import select
import signal
import sys
import tempfile
import time
from typing import Callable, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Tuple
import warnings

import warp as wp

PATIENCE = 120.0  # [s] without a compiled module until the other processes are killed
REPORT_EVERY = 5.0  # [s]
MAX_PROCESSES = 16  # of up to 1 GB each
PR_SET_PDEATHSIG = 1
DEFAULT_BLOCK = 256  # of launches on a GPU


class Variant(NamedTuple):
    """A module of kernels, compiled for one number of threads in a block.

    Attributes:
        module: The module.
        block_dim: Number of threads in a block.
    """

    module: wp.Module
    block_dim: int

    def is_compiled(self, device: wp.Device) -> bool:
        """Return whether Warp's cache has it for a device."""
        name = self.module.get_module_identifier(self.block_dim)
        arch = device.get_cuda_compile_arch()  # of PTX, an older one than the GPU's
        target = 'cpu' if arch is None else f'sm{arch}'
        return any(Path(str(wp.config.kernel_cache_dir), name).glob(f'*.{target}*'))

    def compile(self, device: wp.Device) -> None:
        """Compile it into Warp's cache; the device is not used."""
        self.module._compile(
            device, options=self.module.resolve_options(wp.config, self.block_dim))


@contextlib.contextmanager
def _replaced(owner: object, name: str, function: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, original)


def launched(step: Callable[[], None]) -> List[Variant]:
    """Return the modules of the kernels that a step launches; no kernel is compiled or run.

    Args:
        step: Runs everything but the kernels. It must not loop until a kernel has a result.
    """
    found: Dict[Variant, None] = {}

    def note(module: wp.Module, _: wp.Device, block_dim: Optional[int] = None) -> None:
        size = block_dim or module.options['block_dim'] or DEFAULT_BLOCK
        found[Variant(module, size)] = None  # Warp skips the launch of a module that is None

    def any_size(kernel: wp.Kernel, device: object = None) -> Tuple[int, int]:
        kernel.module.load(device)
        return DEFAULT_BLOCK, 1  # decides how many blocks are launched, not what is compiled

    with _replaced(wp.Module, 'load', note), _replaced(wp, 'get_suggested_block_size', any_size):
        step()
    return list(found)


def build_kernels(step: Callable[[], None], device: wp.Device) -> Optional[KernelBuild]:
    """Begin to compile the missing kernels of a step; None where this version of Warp cannot.

    It uses parts of Warp that may change. Without it, Warp compiles the same kernels later.
    """
    try:
        return KernelBuild(step, device)
    except Exception as error:  # whatever changed in Warp must not end a training
        print(f'GPU kernels are compiled one after the other: {type(error).__name__}: {error}',
              file=sys.stderr, flush=True)
        return None


class KernelBuild:
    """Compiles the missing kernels of a step in processes that run beside this one.

    Args:
        step: See :func:`launched`.
        device: The device that will run it.
    """

    def __init__(self, step: Callable[[], None], device: wp.Device):
        missing = [it for it in launched(step) if not it.is_compiled(device)]
        # Modules with tiles have a block size of their own and take longest.
        missing.sort(key=lambda it: (it.block_dim == DEFAULT_BLOCK, -len(it.module.kernels)))
        self._done, self._total = 0, len(missing)
        self._workers: List[int] = []
        self._finished = -1  # pipe with one byte for each compiled module
        if missing:
            self._report()
            self._start(missing, device)

    def wait(self) -> None:
        """Wait for the processes, with progress on standard error."""
        if not self._workers:
            return
        reported = time.monotonic()
        while self._done < self._total and select.select([self._finished], [], [], PATIENCE)[0]:
            count = len(os.read(self._finished, self._total))
            if count == 0:
                break  # all processes ended early
            self._done += count
            if time.monotonic() - reported > REPORT_EVERY or self._done == self._total:
                self._report()
                reported = time.monotonic()
        os.close(self._finished)
        for worker in self._workers:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
        self._scratch.cleanup()
        self._workers = []

    def _start(self, missing: List[Variant], device: wp.Device) -> None:
        share = int(os.environ.get('LOCAL_WORLD_SIZE', '1'))  # processes of this training
        self._scratch = tempfile.TemporaryDirectory(prefix='kernels-')
        cores = max(1, len(os.sched_getaffinity(0)) // share)
        tasks, give = os.pipe()
        os.write(give, bytes(range(min(self._total, 256))))
        os.close(give)
        self._finished, tell = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)  # of forking beside threads
            for _ in range(min(cores, self._total, MAX_PROCESSES)):
                worker = os.fork()
                if worker == 0:
                    _compile_all(missing, device, tasks, tell, self._scratch.name)
                self._workers.append(worker)
        os.close(tasks)
        os.close(tell)

    def _report(self) -> None:
        if os.environ.get('LOCAL_RANK', '0') == '0':
            with contextlib.suppress(OSError):
                print(f'compiling GPU kernels {self._done}/{self._total}, once per machine',
                      file=sys.stderr, flush=True)


def _compile_all(missing: List[Variant], device: wp.Device, tasks: int, tell: int,
                 scratch: str) -> NoReturn:
    """Compile modules in a forked process until none is left; end with the parent process.

    Only Python and the compiler run here, since CUDA cannot be used after a fork.

    Args:
        missing: The modules.
        device: Their device.
        tasks: Pipe with one byte for each module, its index.
        tell: Pipe that gets a byte for each module that was tried.
        scratch: Folder for the precompiled headers of the compiler, which it does not remove.
    """
    try:
        gc.disable()  # it would free arrays of the parent process on the GPU
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.environ['TMPDIR'] = scratch
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        task = os.read(tasks, 1)
        while task:
            with contextlib.suppress(Exception):  # Warp reports it at the first launch
                missing[task[0]].compile(device)
            os.write(tell, b'.')
            task = os.read(tasks, 1)
    finally:
        os._exit(0)
