# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the floor: what it carries and how it rubs, from the robot's momentum."""

from __future__ import annotations

from typing import List

import numpy as np

from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.sim.questions.bench import FRICTIONS, UNTOUCHED, Bench, Finding, near

SLIDE = 2.0   # [m/s]
STANDING, SLIDING = 30, 2  # physics steps; later the feet stop, since the legs give way


def findings(bench: Bench) -> List[Finding]:
    """Let the robots stand, for their weight, then push them sideways, for the friction."""
    bench.put(base_position=bench.backend.default_state().base_position)
    before, normal = bench.momentum(), np.zeros(bench.n)
    for _ in range(STANDING):
        bench.hold(1)
        normal += bench.dt * bench.truth('sole_forces').sum(-1)
    carried = normal - (bench.momentum() - before)[:, 2]
    found = [near('mass that the soles carry, of that of the URDF',
                  carried / (GRAVITY * STANDING * bench.dt) / bench.bodies.masses.sum(-1), 1.0,
                  0.05)]
    push = np.tile(np.array([[0.0, SLIDE, 0.0]], np.float32), (bench.n, 1))
    bench.backend.add_base_velocity(push, 0.0 * push)
    before, normal = bench.momentum(), np.zeros(bench.n)
    for _ in range(SLIDING):
        bench.hold(1)
        normal += bench.dt * bench.truth('sole_forces').sum(-1)
    ratio = (before - bench.momentum())[:, 1] / np.maximum(normal, 1e-9)
    nominal, friction = bench.groups[UNTOUCHED], bench.subjects.variation.friction
    assert friction is not None
    for value in FRICTIONS:
        found.append(near(f'friction of sliding feet, with {value:g} wanted',
                          np.median(ratio[nominal][friction[nominal] == value]), value,
                          0.15 * value))
    return found
