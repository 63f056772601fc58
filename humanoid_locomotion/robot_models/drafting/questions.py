# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The open questions of a robot draft: values that a person must determine or check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Tuple

TODO = 'TODO'


@dataclass(frozen=True)
class Question:
    """A value that the model file does not contain, or a change that the importer made.

    Attributes:
        key: The key in ``robot.yaml``, or the file.
        written: The value in the draft; a robot with ``TODO`` is refused when loaded.
        why: Instruction: the value to determine or check.
        joints: The joints concerned; empty for the robot as a whole.
    """

    key: str
    written: str
    why: str
    joints: Tuple[str, ...] = ()

    def __str__(self) -> str:
        asked = f' ({", ".join(self.joints)})' if self.joints else ''
        return f'{self.key}: {self.why}{asked}'


class Questions:
    """Collects questions; equal questions of several joints are merged.

    Attributes:
        asked: The questions, in the order of their first occurrence.
    """

    def __init__(self) -> None:
        self.asked: List[Question] = []

    def ask(self, key: str, why: str, written: str = TODO, joint: str = '') -> None:
        """Add a question."""
        for i, asked in enumerate(self.asked):
            if joint and (asked.key, asked.why, asked.written) == (key, why, written):
                self.asked[i] = replace(asked, joints=(*asked.joints, joint))
                return
        self.asked.append(Question(key, written, why, (joint,) if joint else ()))
