# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The questions that every simulator can answer, in groups."""

from __future__ import annotations

from typing import List

from humanoid_locomotion.sim.questions import base, contacts, joints, variations
from humanoid_locomotion.sim.questions.bench import Bench, Finding

GROUPS = (base.findings, joints.findings, variations.findings, contacts.findings)


def examine(bench: Bench) -> List[Finding]:
    """Return the answers: about the base, the joints, the varied physics and the floor."""
    return [finding for group in GROUPS for finding in group(bench)]
