# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""MuJoCo Warp, on the CPU, keeps the laws of the port and agrees with MuJoCo.

Slow: Warp compiles its kernels when they are first used, which takes minutes on a CPU; later runs
take them from Warp's cache and last about half a minute.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('mujoco_warp')
pytest.importorskip('torch')

from mujoco_suite import MujocoSuite
from port_suite import ALL, PHYSICS, ROBOT, N, hold, posed, state, truth

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.evaluation.rough_terrain import GROUND
from humanoid_locomotion.sim.backend import PhysicsVariation, open_backend
from humanoid_locomotion.sim.mujoco_warp import backend as mujoco_warp_backend
from humanoid_locomotion.training.config_file import load_config

pytestmark = pytest.mark.slow

HALF = np.sqrt(0.5)


class TestMujocoWarp(MujocoSuite):
    """The laws of the port."""

    name = 'mujoco_warp'


@pytest.fixture
def both():
    """Give the two MuJoCo backends with the same robots, and take them away afterwards."""
    pair = [open_backend(name, ROBOT, N, PHYSICS, device='cpu')
            for name in ('mujoco', 'mujoco_warp')]
    yield pair
    for backend in pair:
        backend.close()


# Single against double precision: the difference grows with every contact.
@pytest.mark.parametrize('steps, position, velocity, force', [
    (1, 2e-4, 2e-2, 2.0), (10, 2e-3, 1e-1, 20.0)])
@pytest.mark.parametrize('varied', [False, True])
def test_both_mujocos_agree(both, steps, position, velocity, force, varied):
    rng = np.random.default_rng(0)
    n = ROBOT.num_joints
    start = posed(
        both[0], base_orientation=rotations.small_rotation(rng.normal(0.0, 0.05, (N, 3))),
        base_linear_velocity=rng.normal(0.0, 0.2, (N, 3)),
        joint_positions=ROBOT.values('default') + rng.uniform(-0.05, 0.05, (N, n)),
        joint_velocities=rng.normal(0.0, 0.3, (N, n)))
    targets = [start.joint_positions + rng.uniform(-0.1, 0.1, (N, n)).astype(np.float32)
               for _ in range(steps)]
    variation = PhysicsVariation(
        friction=np.array([0.4, 0.8, 1.2]), mass_scale=np.array([0.9, 1.0, 1.1]),
        payload=np.array([0.0, 2.0, -1.0]), com_offset=rng.uniform(-0.03, 0.03, (N, 3)),
        kp_scale=rng.uniform(0.9, 1.1, (N, n)), kd_scale=rng.uniform(0.9, 1.1, (N, n)))
    for backend in both:
        if varied:
            backend.randomize(variation)
        backend.reset(ALL, start)
        for target in targets:
            backend.step(JointTargets(target))
    (a, b), (ta, tb) = map(state, both), map(truth, both)
    assert b.joint_positions == pytest.approx(a.joint_positions, abs=position)
    assert b.base_position == pytest.approx(a.base_position, abs=position)
    assert b.base_orientation == pytest.approx(a.base_orientation, abs=position)
    assert b.joint_velocities == pytest.approx(a.joint_velocities, abs=velocity)
    assert b.base_linear_velocity == pytest.approx(a.base_linear_velocity, abs=velocity)
    assert tb.sole_positions == pytest.approx(ta.sole_positions, abs=position)
    assert tb.sole_forces == pytest.approx(ta.sole_forces, abs=force)
    assert tb.joint_torques == pytest.approx(ta.joint_torques, abs=force)


def test_the_room_in_use_is_that_of_the_feet():
    backend = open_backend('mujoco_warp', ROBOT, N, PHYSICS, device='cpu')
    hold(backend)
    used = backend.room_used()
    assert float(used['contacts']) == 8.0  # four spheres a foot
    assert 32 <= int(used['constraints']) <= PHYSICS.max_constraints  # four rows a contact
    backend.close()


def test_the_solver_ends_alike_whether_or_not_it_asks_if_all_robots_are_done(monkeypatch):
    ends = []
    for plain in (0, PHYSICS.solver_iterations):
        monkeypatch.setattr(mujoco_warp_backend, 'PLAIN_ITERATIONS', plain)
        backend = open_backend('mujoco_warp', ROBOT, N, PHYSICS, device='cpu')
        backend.reset(ALL, posed(backend, base_linear_velocity=np.full((N, 3), 0.5)))
        hold(backend)
        ends.append((backend._model.opt.graph_conditional, state(backend)))
        backend.close()
    (asks, a), (does_not_ask, b) = ends
    assert asks and not does_not_ask
    assert np.array_equal(a.joint_positions, b.joint_positions)
    assert np.array_equal(a.base_linear_velocity, b.base_linear_velocity)


@pytest.mark.parametrize('name', ['unitree_g1', 'unitree_h1'])
def test_both_mujocos_agree_on_every_robot(name):
    robot = load_robot(name)
    physics = load_config(config_file('training', name)).physics
    pair = [open_backend(backend, robot, 2, physics, device='cpu')
            for backend in ('mujoco', 'mujoco_warp')]
    rng = np.random.default_rng(0)
    default = robot.values('default').astype(np.float32)
    targets = default + rng.uniform(-0.1, 0.1, (5, 2, len(default))).astype(np.float32)
    for backend in pair:
        backend.reset(np.ones(2, bool), backend.default_state())
        for target in targets:
            backend.step(JointTargets(target))
    (a, b), (ta, tb) = map(state, pair), map(truth, pair)
    assert b.joint_positions == pytest.approx(a.joint_positions, abs=2e-3)
    assert b.base_position == pytest.approx(a.base_position, abs=2e-3)
    assert tb.sole_forces == pytest.approx(ta.sole_forces, abs=20.0)
    assert ta.sole_forces.min() > 0.0
    assert not np.any(np.asarray(pair[1].overflow()))
    for backend in pair:
        backend.close()


def test_a_robot_that_ever_lacked_room_for_contacts_is_known():
    cramped = dataclasses.replace(PHYSICS, max_constraints=40, max_contacts=8)
    backend = open_backend('mujoco_warp', ROBOT, N, cramped, device='cpu')
    hold(backend)
    assert not np.any(np.asarray(backend.overflow()))
    sunk = posed(backend, base_position=[0.0, 0.0, 0.1], base_orientation=[HALF, 0, 0, HALF])
    backend.reset(np.array([False, True, False]), sunk)
    hold(backend)
    backend.reset(ALL, backend.default_state())
    hold(backend)
    assert np.asarray(backend.overflow())[1]
    backend.close()


def test_both_mujocos_agree_on_rough_ground():
    settings = load_config(config_file('training', 'unitree_g1_rough'))
    robot, physics, pair = load_robot('unitree_g1'), settings.physics, []
    for name in ('mujoco', 'mujoco_warp'):
        backend = open_backend(name, robot, 10, physics, device='cpu', terrain=GROUND)
        start = backend.default_state()
        # From the middle of tiles of two rows onto their slopes, bumps and steps.
        place = start.base_position + backend.terrain.starts[[1, 2]].reshape(-1, 3)
        place[:, 1] += 1.3
        place[:, 2] = robot.base_height + backend.terrain.ground(place) + 0.03
        backend.reset(np.ones(10, bool), dataclasses.replace(start, base_position=place))
        hold(backend, 8, start.joint_positions)
        pair.append(backend)
    (a, b), (ta, tb) = map(state, pair), map(truth, pair)
    assert b.joint_positions == pytest.approx(a.joint_positions, abs=1e-2)
    assert b.base_position == pytest.approx(a.base_position, abs=2e-3)
    assert tb.base_position == pytest.approx(ta.base_position, abs=2e-3)
    assert tb.sole_positions == pytest.approx(ta.sole_positions, abs=2e-3)
    assert tb.sole_forces.sum(1) == pytest.approx(ta.sole_forces.sum(1), rel=0.1)
    assert ta.sole_forces.sum(1).min() > 300.0
    assert not np.any(np.asarray(pair[1].overflow()))
    for backend in pair:
        backend.close()
