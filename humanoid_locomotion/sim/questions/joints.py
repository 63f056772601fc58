# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about the joints: order, torque, inertia of the links, losses, limits, speed."""

from __future__ import annotations

import re
from typing import List, Tuple

import numpy as np

from humanoid_locomotion.sim.questions.bench import Bench, Finding, near

COAST = 10      # physics steps of a free decay
COASTING = 1.0  # [rad/s] at its begin: legs that are close to each other do not touch
APPROACH = 1.0  # [rad/s] towards a limit
ROOM = 0.05     # [rad] before the limit
SMALL = 0.02    # of the torque that gives 1 rad/s in a step
SIDES = {'left': 'right', 'right': 'left'}
TWIN = re.compile('left|right')


def findings(bench: Bench) -> List[Finding]:
    """Ask all questions about the joints."""
    return [*torques(bench), *extremes(bench), decay(bench), *limits(bench), *speed(bench)]


def torques(bench: Bench) -> List[Finding]:
    """A torque on each hanging joint, in a robot each: order, acceleration, inertia."""
    pushes = bench.one_each(bench.unit_torques())
    bench.put()
    bench.push(pushes)
    own, joints = bench.own, 6 + bench.own
    found, wanted = bench.relative(1)[own], bench.predicted(pushes)[own]
    shape, columns = found[:, 6:], wanted[:, 6:]
    likeness = (shape / np.linalg.norm(shape, axis=1)[:, None]) @ (
        columns / np.linalg.norm(columns, axis=1)[:, None]).T
    wrong = [name for i, name in enumerate(bench.names) if likeness[i].argmax() != i]
    everyone = f'all {len(own)}'
    return [Finding('the joint that moves is the commanded one', not wrong,
                    f'others: {", ".join(wrong)}' if wrong else everyone, everyone),
            near('acceleration of a hanging joint by its torque, of that of the URDF',
                 found[own, joints] / wanted[own, joints], 1.0, 0.04, '', bench.names),
            near('that of the base and of other joints, from that of the URDF', np.abs(
                np.where(np.arange(found.shape[1]) == joints[:, None], 0.0, found - wanted)
            ).max(1) / wanted[own, joints], 0.0, 0.02, '', bench.names),
            inertias(bench, found, pushes[own])]


def extremes(bench: Bench) -> List[Finding]:
    """The largest and a small torque, both backwards: no cap, no threshold."""
    safe = 0.8 * bench.speed / (bench.dt * np.diagonal(bench.inverse[0])[6:])
    found = []
    for name, torque in (('the largest', np.minimum(bench.effort, safe)),
                         ('a small', SMALL * bench.unit_torques())):
        pushes = -bench.one_each(torque)
        bench.put()
        bench.push(pushes)
        gained, wanted = (it[bench.own, 6 + bench.own] for it in (
            bench.relative(1), bench.predicted(pushes)))
        found.append(near(f'acceleration by {name} torque backwards, of that of the URDF',
                          gained / wanted, 1.0, 0.04, '', bench.names))
    return found


def inertias(bench: Bench, found: np.ndarray, pushes: np.ndarray) -> Finding:
    """Fit a factor on each link's inertia to all accelerations (num_joints, 6 + num_joints).

    Links so small beside the armatures that a factor of 3 would not be noticed are left out.
    """
    factors, deviations = fitted_inertias(bench, found, pushes)
    known = 3.0 * deviations < 2.0
    names = [name for name, is_known in zip(bench.bodies.names, known) if is_known]
    return near(f'inertia of each link as swung, of that of the URDF ({len(names)} of '
                f'{len(known)} links)', factors[known], 1.0,
                np.maximum(0.3, 3.0 * deviations[known]), '', names)


def fitted_inertias(bench: Bench, found: np.ndarray,
                    pushes: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return factors on the links' inertias (num_links,) and their standard deviations.

    The impulses of a step are linear in the factors. Each robot's equations are in units of the
    impulse given to it, of which 0.1 % are taken as the deviation of an equation.
    """
    own = bench.own
    impulses = bench.dt * np.concatenate((np.zeros((len(own), 6)), pushes), -1)
    parts = bench.bodies.rotational(bench.rest)[0]  # equal pose and masses for all of them
    columns = np.einsum('lij,nj->nil', parts, found)
    rest = impulses - np.einsum('ij,nj->ni', bench.mass_at_rest[0], found)
    scale = np.abs(impulses).max(1)[:, None]
    matrix = (columns / scale[..., None]).reshape(-1, len(parts))
    factors, *_ = np.linalg.lstsq(matrix, (rest / scale).ravel(), rcond=1e-9)
    spread = np.linalg.pinv(matrix.T @ matrix, rcond=1e-12)
    return 1.0 + factors, 1e-3 * np.sqrt(np.diag(spread))


def decay(bench: Bench) -> Finding:
    """Let each joint coast: damping and friction would take energy."""
    inwards = np.where(bench.rest[0] < 0.5 * (bench.lower + bench.upper), 1.0, -1.0)
    speeds = inwards * np.minimum(COASTING, 0.5 * bench.speed)
    bench.put(joint_velocities=bench.one_each(speeds))
    before, lost = bench.energy(), np.zeros(bench.n)
    for _ in range(COAST):
        bench.push(np.zeros_like(bench.rest))
        lost += bench.dt * (bench.bodies.damping * bench.state('joint_velocities') ** 2).sum(-1)
    kept = (bench.energy() + lost)[bench.own] / before[bench.own]
    return near('energy kept by a coasting joint', kept, 1.0, 0.05, '', bench.names)


def limits(bench: Bench) -> List[Finding]:
    """Let each joint run into its limit, from inside, on both sides.

    Its twin on the other side is put to the same limit, so that legs do not cross.
    """
    other = {name: TWIN.sub(lambda it: SIDES[it.group()], name) for name in bench.names}
    twins = [bench.names.index(other[name] if other[name] in other else name)
             for name in bench.names]
    each, found = bench.one_each(np.ones(len(twins))) > 0.0, []
    room = np.minimum(ROOM, 0.25 * (bench.upper - bench.lower))
    for side, limit, sign in (('lower', bench.lower, -1.0), ('upper', bench.upper, 1.0)):
        start = np.where(each | each[:, twins], limit - sign * room, bench.rest)
        bench.put(joint_positions=start, joint_velocities=sign * APPROACH * each)
        farthest, back = np.full(len(limit), -np.inf), np.zeros(len(limit))
        for _ in range(round(2.5 * ROOM / APPROACH / bench.dt)):
            bench.hold(1, each, start)
            at, rate = (bench.state(name)[bench.own, bench.own]
                        for name in ('joint_positions', 'joint_velocities'))
            farthest = np.maximum(farthest, sign * (at - limit))
            back = np.maximum(back, -sign * rate)
        found += [near(f'how far beyond its {side} limit a joint gets', farthest, 0.0, 0.03,
                       'rad', bench.names),
                  near('and how fast it comes back', back, 0.0, 0.5, 'rad/s', bench.names)]
    return found


def speed(bench: Bench) -> List[Finding]:
    """No cap on a joint's speed below that of ``robot.yaml``, and the whole torque at speed."""
    inwards = np.where(bench.rest[0] < 0.5 * (bench.lower + bench.upper), 1.0, -1.0)
    speeds = inwards * np.minimum(15.0, 0.9 * bench.speed)
    ends = []
    for torque in (np.zeros_like(bench.rest), -bench.one_each(inwards * bench.unit_torques())):
        bench.put(joint_velocities=bench.one_each(speeds))
        bench.push(torque)
        ends.append(bench.state('joint_velocities')[bench.own, bench.own])
    gained = bench.predicted(torque)[bench.own, 6 + bench.own]
    return [near('speed kept by a fast joint', ends[0] / speeds, 1.0, 0.1, '', bench.names),
            near('change of that speed by a torque, of that of the URDF',
                 (ends[1] - ends[0]) / gained, 1.0, 0.1, '', bench.names)]
