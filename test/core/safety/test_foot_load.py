# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The floor's force, found from torques that a force on the soles would give."""

import numpy as np
import pytest

from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.safety.foot_load import FootLoad
from humanoid_locomotion.core.state import RobotState

ROBOTS = ('humanoid', 'unitree_g1', 'unitree_h1')


def make(name, tilt=0.0):
    """Give a robot's foot load, its legs' odometry and its state in the default pose."""
    robot = load_robot(name)
    legs, names = [leg_spec(robot, sole) for sole in robot.soles], robot.joint_names
    state = RobotState(
        robot.values('default')[None], np.zeros((1, len(names))),
        np.array([[0.0, np.sin(tilt / 2), 0.0, np.cos(tilt / 2)]]), np.zeros((1, 3)))
    return FootLoad(legs, names), LegOdometry(legs, names), state


@pytest.mark.parametrize('name', ROBOTS)
def test_jacobian_is_what_the_legs_odometry_says(name):
    """Every joint moves the soles by so much, in a pose where nothing is zero."""
    load, odometry, state = make(name)
    random = np.random.default_rng(0)
    positions = state.joint_positions[0]
    positions = positions + random.uniform(-0.3, 0.3, positions.shape)
    jacobians = load.jacobians(positions)
    for leg, joints in enumerate(load._joints):
        for column, joint in enumerate(joints):
            speeds = np.zeros_like(positions)
            speeds[joint] = 1.0
            moved = RobotState(positions[None], speeds[None], state.base_orientation,
                               state.base_angular_velocity)
            _, velocities = odometry.soles(moved)
            np.testing.assert_allclose(jacobians[leg, :3, column], velocities[0, leg], atol=1e-6)


@pytest.mark.parametrize('tilt', [0.0, 0.2])
@pytest.mark.parametrize('name', ROBOTS)
def test_force_on_the_soles_is_found_from_its_torques(name, tilt):
    """With a moment about the soles too, as from a heel that carries the most."""
    load, _, state = make(name, tilt)
    down = np.array([np.sin(tilt), 0.0, -np.cos(tilt)])
    torques = np.zeros(state.joint_positions.shape[1])
    for jacobian, joints, force in zip(load.jacobians(state.joint_positions[0]), load._joints,
                                       (300.0, 120.0)):
        wrench = np.concatenate([-force * down, [0.0, 8.0, 0.0]])
        torques[joints] = -jacobian.T @ wrench
    assert load.measure(state, torques) == pytest.approx(420.0, rel=0.05)
    assert load.measure(state, np.zeros_like(torques)) == 0.0
