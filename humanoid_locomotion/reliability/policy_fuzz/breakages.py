# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Named breakages of policy folders: each must be refused with a clear error and run no code."""

from __future__ import annotations

from pathlib import Path
import pickle
import tempfile
from typing import Callable, Dict, List, Tuple

import numpy as np

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.content import FILES, LIMITS, SUMS
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.reliability.policy_fuzz.mutation import copy_folder, sign

ENGINE = 'onnxruntime'


class Trap:
    """An object whose unpickling would write a file."""

    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self) -> Tuple[Callable[..., object], Tuple[object, ...]]:
        """Make pickle create the file."""
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
        file.truncate(LIMITS['policy.onnx'] + 1)  # sparse: it takes no disk space


def _code(folder: Path) -> None:
    (folder / 'policy.onnx').write_bytes(pickle.dumps(Trap(folder.parent / 'trapped')))


def _directory(folder: Path) -> None:
    (folder / 'policy.onnx').unlink()
    (folder / 'policy.onnx').mkdir()


# Name, change, and whether the hashes are updated.
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
    ('a value is NaN', _replace('contract.yaml', b'control_period: 0.02',
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
        Name of each breakage, and its error message; ``opened`` if it was not refused.
    """
    results = []
    for name, change, signed in BREAKAGES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = copy_folder(source, Path(temporary) / 'policy')
            change(folder)
            if signed:
                sign(folder)
            results.append((name, sentence(folder)))
            if (Path(temporary) / 'trapped').exists():
                results[-1] = (name, 'ran code')
    return results


def sentence(folder: Path) -> str:
    """Open a folder; return the error message of its refusal, or ``opened``."""
    try:
        open_policy(folder, ENGINE)
    except LocomotionError as error:
        return str(error).replace(str(folder), '').lstrip('/: ')
    except Exception as error:
        return f'unexpected {type(error).__name__}: {error}'
    return 'opened'
