# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The questions to a simulator: MuJoCo, which nobody doubts, answers them as the URDF does."""

from __future__ import annotations

import functools

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.sim.backend import PhysicsSpec, open_backend
from humanoid_locomotion.sim.questions.bench import Bench, near
from humanoid_locomotion.sim.questions.examination import examine

PHYSICS = PhysicsSpec(solver_iterations=50, line_search_iterations=50, max_constraints=300,
                      max_contacts=60)
# The five physical questions, by the beginning of what they ask: the table of docs/isaacgym.md.
FIVE = ('acceleration of a hanging joint', 'energy kept', 'how far beyond its lower limit',
        'inertia of each link', 'friction of sliding feet, along x and y, with 0.6')


def bench(backend: str) -> Bench:
    """Put the humanoid of a simulator on the bench."""
    robot = load_robot('humanoid')
    return Bench(functools.partial(open_backend, backend, robot, device='cpu'), robot, PHYSICS)


def test_mujoco_moves_as_the_urdf_says():
    findings = examine(bench('mujoco'))
    assert len(findings) > 20 and [it for it in findings if not it.good] == []
    assert all(any(it.question.startswith(five) for it in findings) for five in FIVE)


def test_the_farthest_value_is_shown_with_its_name():
    found = near('speed', [1.0, 1.3, 0.9], 1.0, 0.2, 'm/s', ['a', 'b', 'c'])
    assert (found.good, found.found, found.expected) == (False, '1.3 m/s (b)', '1 ± 0.2 m/s')
    assert near('speed', [1.1, np.nan], 1.0, 0.2).good is False
    assert near('speed', [1.1, 1.9], 1.0, [0.2, 1.0]).good is True


if __name__ == '__main__':  # PYTHONPATH=.:test/support python FILE BACKEND... prints the table
    import sys
    for name in sys.argv[1:]:
        if name == 'isaacgym':
            import fake_gym
            fake_gym.install()
        for it in examine(bench(name)):
            if it.question.startswith(FIVE):
                print(f'| {name} | {it.question} | {it.found} | {it.expected} |', flush=True)
