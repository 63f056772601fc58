# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names that commands had before they were grouped; they keep working for one release."""

from __future__ import annotations

from typing import List, Sequence, Tuple

RENAMED = {
    'check': 'policy check', 'export': 'policy export', 'compare': 'policy compare',
    'tune': 'policy retune', 'adopt': 'policy import-onnx', 'sign': 'policy sign',
    'envelope': 'policy envelope', 'robots': 'robot list', 'import-robot': 'robot import',
    'write-urdf': 'robot write-urdf', 'benchmark': 'dev benchmark', 'faults': 'dev faults',
    'soak': 'dev soak', 'replay': 'dev replay', 'interface': 'dev interface',
    'check-isaacgym': 'dev check-isaacgym'}


def current(words: Sequence[str]) -> Tuple[List[str], str]:
    """Return a command line by the names of today, and a hint if it began with an old one.

    Args:
        words: The words of the command line, without the program.
    """
    if not words or words[0] not in RENAMED:
        return list(words), ''
    new = RENAMED[words[0]]
    return [*new.split(), *words[1:]], (
        f'hint: `{words[0]}` is now `humanoid-locomotion {new}`; the old name goes with the next '
        'release')
