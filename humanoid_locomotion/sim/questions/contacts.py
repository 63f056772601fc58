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
LANDING = 30  # physics steps


def findings(bench: Bench) -> List[Finding]:
    """Ask all questions about the floor."""
    return [*standing(bench), landing(bench)]


def standing(bench: Bench) -> List[Finding]:
    """Let the robots stand, for their weight, then push them along x or y, for the friction."""
    bench.put(base_position=bench.backend.default_state().base_position)
    before, normal = bench.momentum(), np.zeros(bench.n)
    for _ in range(STANDING):
        bench.hold(1)
        normal += bench.dt * bench.truth('sole_forces').sum(-1)
    carried = normal - (bench.momentum() - before)[:, 2]
    found = [near('mass that the soles carry, of that of the URDF',
                  carried / (GRAVITY * STANDING * bench.dt) / bench.bodies.masses.sum(-1), 1.0,
                  0.05)]
    axes = np.arange(bench.n) // len(FRICTIONS) % 2
    push = SLIDE * np.eye(3, dtype=np.float32)[axes]
    bench.backend.add_base_velocity(push, 0.0 * push)
    before, normal = bench.momentum(), np.zeros(bench.n)
    for _ in range(SLIDING):
        bench.hold(1)
        normal += bench.dt * bench.truth('sole_forces').sum(-1)
    ratio = (before - bench.momentum())[np.arange(bench.n), axes] / np.maximum(normal, 1e-9)
    nominal, friction = bench.groups[UNTOUCHED], bench.subjects.variation.friction
    assert friction is not None
    for value in FRICTIONS:
        found.append(near(
            f'friction of sliding feet, along x and y, with {value:g} wanted',
            [np.median(ratio[nominal][(friction[nominal] == value) & (axes[nominal] == axis)])
             for axis in (0, 1)], value, 0.15 * value))
    return found


def landing(bench: Bench) -> Finding:
    """Drop the robots: they must not bounce."""
    bench.put(base_position=bench.backend.default_state().base_position,
              base_linear_velocity=[0.0, 0.0, -1.0])
    highest = np.zeros(bench.n)
    for _ in range(LANDING):
        bench.hold(1)
        highest = np.maximum(highest, bench.momentum()[:, 2] / bench.bodies.masses.sum(-1))
    return near('speed upwards after landing at 1 m/s', highest[bench.groups[UNTOUCHED]], 0.0,
                0.25, 'm/s')
