# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The GPU of the Isaac Gym backend: whether this PyTorch runs on it, and its memory.

Everything here is checked before Isaac Gym allocates anything.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Sequence, Tuple

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.sim.isaacgym.importing import torch

INSTALL = 'pip install --no-deps --require-hashes -r requirements/locked/'
RECIPE = INSTALL + 'isaacgym.txt'
ARCH = re.compile(r'(?P<kind>sm|compute)_(?P<major>\d+)(?P<minor>\d)(?P<only>[a-z]?)')
CARRIES = ((5, 0), (9, 0))  # the capabilities of that recipe, PyTorch 2.4.1
# Less is never enough: the contexts of PyTorch and PhysX, buffers per pair and per robot. From
# public reports of needed memory; not measured here.
CONTEXT_BYTES, PAIR_BYTES, ROBOT_BYTES = 1.0e9, 64.0, 3.0e5


class Gpu(NamedTuple):
    """What PyTorch says of a GPU.

    Attributes:
        name: Its name.
        capability: Its compute capability, (8, 9) for Ada.
        archs: The architectures that PyTorch is built for, as ``sm_86`` and ``compute_70``.
        torch: PyTorch's version.
        free: Free memory [bytes].
    """

    name: str
    capability: Tuple[int, int]
    archs: Sequence[str]
    torch: str
    free: float


def torch_device(device: str) -> str:
    """Return the tensors' device as PyTorch names it, with its index: ``cuda:0`` or ``cpu``.

    Raises:
        SimulationError: A GPU is wanted, and PyTorch cannot use any.
    """
    if device == 'cpu':
        return device
    if not torch.cuda.is_available():
        raise SimulationError(
            f'Isaac Gym runs on a GPU, and PyTorch {torch.__version__} can use none '
            f'(CUDA {torch.version.cuda}): check nvidia-smi and {RECIPE}; --device cpu runs PhysX '
            'on the CPU, slowly')
    return device if ':' in device else f'cuda:{torch.cuda.current_device()}'


def on_gpu(device: str) -> bool:
    """Return whether PhysX and the tensors are on a GPU; both are, or neither."""
    return device.startswith('cuda')


def gpu(device: str) -> Gpu:
    """Return what PyTorch says of a GPU."""
    return Gpu(torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device),
               torch.cuda.get_arch_list(), torch.__version__, torch.cuda.mem_get_info(device)[0])


def check(it: Gpu, num_envs: int, contact_pairs: int) -> None:
    """Check that PyTorch has kernels for a GPU and that the memory can be enough.

    Raises:
        SimulationError: It cannot be used; the message gives the command that helps.
    """
    problem = arch_problem(it)
    if problem is not None:
        raise SimulationError(problem)
    needed = CONTEXT_BYTES + PAIR_BYTES * contact_pairs + ROBOT_BYTES * num_envs
    if it.free < needed:
        raise SimulationError(
            f'{it.name} has {it.free / 1e9:.1f} GB of free memory, {num_envs:,} robots and '
            f'{contact_pairs:,} contact pairs need {needed / 1e9:.1f} GB or more: fewer '
            '--num-envs or --set isaacgym.max_contact_pairs=262144')


def arch_problem(it: Gpu) -> Optional[str]:
    """Return why PyTorch has no kernels for a GPU, with the command that helps; None if it has.

    Machine code runs on GPUs of the same major capability with an equal or higher minor one;
    intermediate code (``compute_...``) on all newer ones. Code with a letter, as ``sm_90a``, runs
    on its own capability only.
    """
    for arch in filter(None, map(ARCH.fullmatch, it.archs)):
        built = (int(arch['major']), int(arch['minor']))
        if built == it.capability or (
                not arch['only'] and built < it.capability
                and (arch['kind'] == 'compute' or built[0] == it.capability[0])):
            return None
    major, minor = it.capability
    found = (f'{it.name} has capability {major}.{minor}, PyTorch {it.torch} is built for '
             f'{", ".join(it.archs) or "no GPU"}: ')
    if it.capability > CARRIES[1]:
        return (f'{found}sm_{major}{minor} needs PyTorch 2.7 or newer, which has no Python 3.8, '
                'so Isaac Gym cannot train on it; use --backend mujoco_warp')
    if it.capability < CARRIES[0]:
        return f'{found}{INSTALL}isaacgym-cu117.txt'
    return f'{found}{RECIPE}'
