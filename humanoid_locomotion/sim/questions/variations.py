# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the varied physics: does a robot move as much otherwise as it should?"""

from __future__ import annotations

from typing import List

import numpy as np

from humanoid_locomotion.sim.questions.bench import NO_DAMPING, Bench, Finding, near


def findings(bench: Bench) -> List[Finding]:
    """Push all joints of all robots equally and compare each with one as described."""
    n, joints = bench.rest.shape
    signs = np.random.default_rng(0).choice([-1.0, 1.0], joints)
    pushes = np.tile(0.5 * signs * bench.unit_torques(), (n, 1))
    speeds = np.tile(0.5 * signs[::-1], (n, 1))
    bench.put(joint_velocities=speeds)
    bench.push(pushes)
    found = bench.velocities()
    variation = bench.subjects.variation
    assert variation.kp_scale is not None and variation.kd_scale is not None
    acting = pushes * variation.kp_scale - NO_DAMPING * variation.kd_scale * speeds
    wanted = bench.predicted(acting)
    answers = []
    for name in ('masses', 'payload', 'centre of mass', 'link payload', 'kp', 'kd'):
        rows = bench.groups[name]
        change, expected = found[rows] - found[0], wanted[rows] - wanted[0]
        share = (change * expected).sum(-1) / (expected ** 2).sum(-1)
        answers.append(near(f'effect of the varied {name}, of that computed', share, 1.0,
                            0.35 if name == 'kd' else 0.1))
    return answers
