# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the base: gravity, frames, speeds, what a reset and a push change."""

from __future__ import annotations

from typing import List

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import GRAVITY
from humanoid_locomotion.sim.questions.bench import HIGH, UNTOUCHED, Bench, Finding, near

HALF = np.sqrt(0.5)
FAST = 20.0  # [rad/s]
FLIGHT = 100  # physics steps


def findings(bench: Bench) -> List[Finding]:
    """Ask all questions about the base."""
    return [free_fall(bench), heading(bench), *tilted(bench), link_velocity(bench),
            *undamped(bench), speed(bench), one_reset(bench), kick(bench)]


def free_fall(bench: Bench) -> Finding:
    """Gravity: its size and its direction."""
    bench.put()
    bench.hold(20)
    expected = -GRAVITY * 20 * bench.dt
    return near('speed after a free fall', bench.state('base_linear_velocity')[:, 2], expected,
                0.02 * abs(expected), 'm/s')


def heading(bench: Bench) -> Finding:
    """Quaternions are x, y, z, w, and velocities are written in the world frame."""
    bench.put(base_orientation=[0.0, 0.0, HALF, HALF], base_linear_velocity=[0.0, 1.0, 0.0])
    bench.hold(2)
    return near('speed ahead of a robot that faces and moves along y',
                bench.state('base_linear_velocity')[:, 0], 1.0, 0.03, 'm/s')


def tilted(bench: Bench) -> List[Finding]:
    """The frame of the angular velocity, as written, as read, and as the robot turns by it."""
    start, spin = np.array([HALF, 0.0, 0.0, HALF]), np.array([0.0, 0.0, 2.0])
    bench.put(base_orientation=start, base_angular_velocity=spin)
    bench.hold(4)
    read = bench.state('base_angular_velocity')
    turned = rotations.multiply(
        rotations.conjugate(np.tile(start, (bench.n, 1))), bench.state('base_orientation'))
    angle = 2.0 * np.sign(turned[:, 3:]) * turned[:, :3]
    rate = angle / (4 * bench.dt)
    nominal = bench.groups[UNTOUCHED]
    return [near('angular velocity of a tilted base about its own z, as read', read[nominal, 2],
                 2.0, 0.1, 'rad/s'),
            near('and by how it turns, from that velocity',
                 np.abs(rate[nominal] - spin).max(-1), 0.0, 0.1, 'rad/s')]


def link_velocity(bench: Bench) -> Finding:
    """Root velocities are those of the centre of mass: the link's origin must stay."""
    bench.put(base_angular_velocity=[0.0, 2.0, 0.0])
    bench.hold(2)
    moved = bench.state('base_position')[:, 0] - 0.0
    arm = abs(bench.bodies.centres[:, 0, 2])
    share = moved / (2.0 * np.maximum(arm, 1e-6) * 2 * bench.dt)
    return near("drift of a turning base, of that with the centre of mass's velocity",
                np.median(share[bench.groups[UNTOUCHED]]), 0.0, 0.4)


def undamped(bench: Bench) -> List[Finding]:
    """No damping of the base, and no cap on its speed: momentum is kept."""
    start, mass = np.array([3.0, -3.0, 1.0]), bench.bodies.masses.sum(-1)[:, None]
    bench.put(base_linear_velocity=start, base_angular_velocity=[0.0, 0.0, 5.0])
    before = bench.momentum()
    bench.hold(FLIGHT)
    after, fall = bench.momentum(), np.array([0.0, 0.0, -GRAVITY * FLIGHT * bench.dt])
    lost = np.abs((after - before)[:, :3] / mass - fall).max(-1)
    return [near(f'speed lost or gained along an axis in {FLIGHT} steps of flight', lost, 0.0,
                 0.03, 'm/s'),
            near('angular momentum kept', after[:, 5] / before[:, 5], 1.0, 0.02)]


def speed(bench: Bench) -> Finding:
    """No cap on the angular velocity, about each axis."""
    kept = []
    for axis in np.eye(3):
        bench.put(base_angular_velocity=FAST * axis)
        before = bench.momentum()[:, 3:] @ axis
        bench.hold(1)
        kept.append(bench.momentum()[:, 3:] @ axis / before)
    return near(f'spin kept of a base at {FAST:g} rad/s', np.concatenate(kept), 1.0, 0.05)


def one_reset(bench: Bench) -> Finding:
    """A reset changes exactly the selected robots, base and joints; the others go on moving."""
    bench.put(base_linear_velocity=[0.0, 1.0, 0.0])
    bench.hold(4)
    chosen = np.arange(bench.n) % 3 == 0
    before = bench.state('joint_positions')[:, 0]
    bench.put(chosen, base_position=[0.5, 0.0, HIGH],
              joint_positions=bench.rest + 0.2 * (np.arange(bench.rest.shape[1]) == 0))
    bench.hold(1)
    moved = np.abs(bench.state('base_position')[:, 0] - 0.5) < 0.05
    bent = np.abs(bench.state('joint_positions')[:, 0] - before - 0.2) < 0.1
    rests = np.abs(bench.momentum()[:, 1] / bench.bodies.masses.sum(-1)) < 0.5
    right = (moved == chosen) & (bent == chosen) & (rests == chosen)
    return Finding('robots moved by a reset of every third one', bool(right.all()),
                   f'{int(moved.sum())}, wrong {int((~right).sum())}',
                   f'{int(chosen.sum())}, wrong 0')


def kick(bench: Bench) -> Finding:
    """A push changes the velocity of the base by as much."""
    bench.put()
    bench.hold(1)
    before = bench.momentum()
    push = np.tile(np.array([[0.0, 0.7, 0.0]], np.float32), (bench.n, 1))
    bench.backend.add_base_velocity(push, 0.0 * push)
    bench.hold(1)
    gained = (bench.momentum() - before)[:, 1] / bench.mass_at_rest[:, 0, 0]
    return near('speed of the whole robot after a push of 0.7 m/s', gained, 0.7, 0.02, 'm/s')
