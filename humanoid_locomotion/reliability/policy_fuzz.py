"""Policy folders that are broken, by name and by chance: none may open, crash or run code.

Folders are opened in processes of their own, so that a crash is seen and counted. Two kinds of
chance: folders damaged after export, whose hashes no longer fit, and folders whose hashes were
written anew by whoever damaged them. The second kind reaches every parser; where the damage means
nothing (a bit of a weight that no golden step notices), such a folder may open.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
import multiprocessing
from pathlib import Path
import pickle
import shutil
import tempfile
from typing import Callable, Dict, List, Tuple

import numpy as np

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.folder import FILES, SUMS, write_sums
from humanoid_locomotion.core.network import MAX_NETWORK_BYTES as MAX_BYTES
from humanoid_locomotion.core.policy import open_policy

BATCH = 50
ENGINE = 'onnxruntime'


class Trap:
    """What unpickling would run: it writes a file."""

    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self) -> Tuple[Callable[..., object], Tuple[object, ...]]:
        """Tell pickle to touch the path."""
        return (Path.touch, (self._path,))


def _rewrite(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        path = folder / file
        path.write_bytes(change(path.read_bytes()))
    return do


def _replace(file: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    return _rewrite(file, lambda data: data.replace(old, new, 1))


def _golden(change: Callable[[Dict[str, np.ndarray]], None]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        with np.load(folder / 'golden.npz') as file:
            arrays = dict(file)
        change(arrays)
        np.savez(folder / 'golden.npz', **arrays)  # type: ignore[arg-type]
    return do


def _pickled(folder: Path) -> None:
    array = np.array([Trap(folder.parent / 'trapped')], dtype=object)
    with np.load(folder / 'golden.npz') as file:
        arrays = {**file, 'action': array}
    np.savez(folder / 'golden.npz', allow_pickle=True, **arrays)


def _large(folder: Path) -> None:
    with (folder / 'policy.onnx').open('r+b') as file:
        file.truncate(MAX_BYTES + 1)  # sparse: it takes no room


def _code(folder: Path) -> None:
    (folder / 'policy.onnx').write_bytes(pickle.dumps(Trap(folder.parent / 'trapped')))


def _directory(folder: Path) -> None:
    (folder / 'policy.onnx').unlink()
    (folder / 'policy.onnx').mkdir()


# What is broken, how, and whether the hashes are written anew.
BREAKAGES: Tuple[Tuple[str, Callable[[Path], None], bool], ...] = (
    *((f'{file} absent', lambda folder, file=file: (folder / file).unlink(), False)
      for file in (*FILES, SUMS)),
    *((f'{file} empty', _rewrite(file, lambda _: b''), True) for file in FILES),
    *((f'{file} cut in half', _rewrite(file, lambda data: data[:len(data) // 2]), True)
      for file in FILES),
    ('one byte of a weight changed', _rewrite(
        'policy.onnx', lambda data: data[:9000] + bytes([data[9000] ^ 64]) + data[9001:]), False),
    ('policy.onnx is a folder', _directory, False),
    ('policy.onnx larger than allowed', _large, False),
    ('policy.onnx is a pickle', _code, True),
    ('golden.npz holds a pickle', _pickled, True),
    ('contract.yaml asks for a Python object', _rewrite(
        'contract.yaml', lambda data: b'robot: !!python/object/apply:os.getcwd []\n' + data),
     True),
    ('contract.yaml is a list', _rewrite('contract.yaml', lambda _: b'[1, 2]'), True),
    ('a gain changed', _replace('contract.yaml', b'kp: ', b'kp: 1'), True),
    ('two joints change places', _rewrite(
        'contract.yaml', lambda data: data.replace(b'left_', b'@').replace(b'right_', b'left_')
        .replace(b'@', b'right_')), True),
    ('fingerprint of another policy', _replace(
        'contract.yaml', b'fingerprint: ', b'fingerprint: 0'), True),
    ('an unknown key', _rewrite('contract.yaml', lambda data: data + b'more: 1\n'), True),
    ('a figure is NaN', _replace('contract.yaml', b'control_period: 0.02',
                                 b'control_period: .nan'), True),
    ('golden actions are NaN', _golden(
        lambda arrays: arrays.update(action=arrays['action'] * np.nan)), True),
    ('golden observations in another order', _golden(
        lambda arrays: arrays.update(observation=arrays['observation'][:, ::-1].copy())), True),
    ('golden steps too few', _golden(
        lambda arrays: arrays.update({k: v[:10] for k, v in arrays.items()})), True),
    ('golden quaternions w first', _golden(lambda arrays: arrays.update(
        base_orientation=np.roll(arrays['base_orientation'], 1, axis=1))), True),
)


def break_by_name(source: Path) -> List[Tuple[str, str]]:
    """Break a folder in every way of :data:`BREAKAGES`.

    Returns:
        What was broken, and the sentence it was refused with; ``opened`` if it was not.
    """
    results = []
    for name, change, signed in BREAKAGES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = _copy(source, Path(temporary) / 'policy')
            change(folder)
            if signed:
                write_sums(folder)
            results.append((name, _open(folder)))
            if (Path(temporary) / 'trapped').exists():
                results[-1] = (name, 'ran code')
    return results


@dataclass(frozen=True)
class FuzzResult:
    """How many folders were tried, and what became of them.

    Attributes:
        tried: All of them.
        opened: Those that opened.
        crashed: Those at which the process ended.
        unexpected: Sentences of errors that are not ours.
    """

    tried: int
    opened: int
    crashed: int
    unexpected: Tuple[str, ...]


def fuzz(source: Path, count: int, signed: bool, processes: int = 2) -> FuzzResult:
    """Damage folders by chance, and open them.

    Args:
        source: The folder to copy.
        count: How many.
        signed: Whether the hashes are written anew after the damage.
        processes: How many at a time.
    """
    context = multiprocessing.get_context('spawn')
    opened = crashed = 0
    unexpected: List[str] = []
    seeds = list(range(0, count, BATCH))
    waiting = [(seed, min(BATCH, count - seed)) for seed in seeds]
    while waiting:
        left = []
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            running = [(task, pool.submit(_batch, source, *task, signed)) for task in waiting]
            for task, future in running:
                try:
                    sentences = future.result()
                except BrokenProcessPool:
                    left.append(task)
                    continue
                opened += sentences.count('opened')
                unexpected += [text for text in sentences if text.startswith('unexpected')]
        # Who crashed is found by trying one by one.
        waiting = [(seed + i, 1) for seed, size in left if size > 1 for i in range(size)]
        crashed += sum(size == 1 for _, size in left)
    return FuzzResult(count, opened, crashed, tuple(unexpected))


def _batch(source: Path, first: int, count: int, signed: bool) -> List[str]:
    sentences = []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(first, first + count):
            folder = _copy(source, Path(temporary) / 'policy')
            _damage(folder, np.random.default_rng(seed))
            if signed:
                write_sums(folder)
            sentences.append(_open(folder))
            shutil.rmtree(folder)
    return sentences


def _copy(source: Path, target: Path) -> Path:
    target.mkdir()
    for file in (*FILES, SUMS):
        shutil.copyfile(source / file, target / file)
    return target


def _damage(folder: Path, random: np.random.Generator) -> None:
    """Change one file: bits, bytes, a cut, a repetition, or a piece of another file."""
    path = folder / FILES[random.integers(len(FILES))]
    data = bytearray(path.read_bytes())
    at, length = int(random.integers(len(data))), int(random.integers(1, 64))
    kind = random.integers(6)
    if kind == 0:
        data[at] ^= 1 << int(random.integers(8))
    elif kind == 1:
        data[at:at + length] = random.bytes(length)
    elif kind == 2:
        del data[at:]
        data += b'\0' * (not data)
    elif kind == 3:
        data[at:at] = data[at:at + length] or b'\0'
    elif kind == 4:
        data[at:at + length] = bytes(255 for _ in range(length))
    else:
        other = (folder / FILES[random.integers(len(FILES))]).read_bytes()
        data[at:at + length] = other[:length] + b'\0'
    if bytes(data) == path.read_bytes():
        data.append(0)
    path.write_bytes(data)


def _open(folder: Path) -> str:
    try:
        open_policy(folder, ENGINE)
    except LocomotionError as error:
        return str(error).replace(str(folder), '').lstrip('/: ')
    except Exception as error:
        return f'unexpected {type(error).__name__}: {error}'
    return 'opened'
