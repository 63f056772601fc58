# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The velocity that the legs measure: MuJoCo's own kinematics must agree, and small examples."""

from __future__ import annotations

import dataclasses
import math
import shutil

import numpy as np
import pytest
from samples import LEGS, as_torch, row, state

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.leg_odometry import LegOdometry, LegSpec
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import RobotState

NAMES = ['j0', 'j1', 'j2', 'j3']


def standing(**changes) -> RobotState:
    """Give a robot on straight legs of 1 m, whose joints turn them ahead and to the left."""
    rest = {'joint_positions': [0.0] * 4, 'joint_velocities': [0.0] * 4,
            'base_orientation': [0.0, 0.0, 0.0, 1.0], 'base_angular_velocity': [0.0] * 3}
    return RobotState(**{key: np.array([value], np.float32)
                         for key, value in {**rest, **changes}.items()})


def velocity(now: RobotState) -> list[float]:
    return LegOdometry(LEGS, NAMES).measure(now).velocity[0].tolist()


@pytest.mark.parametrize('name', ['humanoid', 'unitree_g1', 'unitree_h1'])
def test_soles_are_where_the_simulator_has_them_and_move_likewise(name):
    agree(load_robot(name))


def test_a_tilted_axis_is_read_from_the_model_whatever_robot_yaml_calls_it(tmp_path):
    folder = shutil.copytree(load_robot('unitree_h1').folder, tmp_path / 'h1')
    text = (folder / 'robot.xml').read_text()
    knee = '<joint name="left_knee_joint" axis="0 1 0"'
    assert knee in text
    (folder / 'robot.xml').write_text(text.replace(knee, knee.replace('0 1 0', '0.3 -2 0.1')))
    agree(load_robot(folder))


def agree(robot):
    """Let MuJoCo say where the soles are and how they move in random poses."""
    mujoco, drawn = pytest.importorskip('mujoco'), np.random.default_rng(3)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data, joints = mujoco.MjData(model), [model.joint(it) for it in robot.joint_names]
    odometry = LegOdometry([leg_spec(robot, sole) for sole in robot.soles], robot.joint_names)
    for _ in range(5):
        data.qpos[7:] = drawn.uniform(-1.0, 1.0, model.nq - 7)
        data.qpos[3:7] = drawn.normal(size=4)
        data.qvel[:] = drawn.uniform(-2.0, 2.0, model.nv)
        mujoco.mj_forward(model, data)
        orientation = data.qpos[[4, 5, 6, 3]] / np.linalg.norm(data.qpos[3:7])
        now = RobotState(**{key: np.array([value]) for key, value in {
            'joint_positions': [data.qpos[it.qposadr[0]] for it in joints],
            'joint_velocities': [data.qvel[it.dofadr[0]] for it in joints],
            'base_orientation': orientation, 'base_angular_velocity': data.qvel[3:6]}.items()})
        point, motion = (found[0] for found in odometry.soles(now))
        soles = [data.site(sole) for sole in robot.soles]
        np.testing.assert_allclose(
            data.qpos[:3] + rotations.rotate(orientation, point),
            [sole.xpos for sole in soles], atol=1e-6)
        # What moves a sole besides its leg is the base that carries and turns it.
        for i, sole in enumerate(robot.soles):
            whole = np.zeros(6)
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE,
                                     model.site(sole).id, whole, False)
            own = whole[3:] - data.qvel[:3] - rotations.rotate(
                orientation, rotations.cross(data.qvel[3:6], point[i]))
            np.testing.assert_allclose(rotations.rotate(orientation, motion[i]), own, atol=1e-6)


def test_a_base_that_swings_over_its_standing_leg_moves_by_the_legs_length():
    assert velocity(standing(joint_velocities=[0.5, 0.0, 0.5, 0.0])) == pytest.approx([0.5, 0.0])
    assert velocity(standing(joint_velocities=[0.0, -0.3, 0.0, -0.3])) == pytest.approx([0.0, 0.3])
    assert velocity(standing(base_angular_velocity=[0.0, 0.5, 0.0])) == pytest.approx([0.5, 0.0])
    assert velocity(standing()) == [0.0, 0.0]
    assert LegOdometry(LEGS, NAMES).measure(standing()).height.tolist() == [1.0]


def test_a_base_over_its_feet_is_where_the_middle_of_the_soles_says():
    def offset(**changes):
        return LegOdometry(LEGS, NAMES).measure(standing(**changes)).offset[0].tolist()

    ahead, left = math.sin(0.1), math.sin(0.2)
    assert offset() == pytest.approx([0.0, 0.0])
    # Soles behind the base: joints that pitch the legs back, or a base that leans ahead.
    assert offset(joint_positions=[0.1, 0.0, 0.1, 0.0]) == pytest.approx([ahead, 0.0], abs=1e-6)
    assert offset(base_orientation=[0.0, math.sin(0.05), 0.0, math.cos(0.05)]) == pytest.approx(
        [ahead, 0.0], abs=1e-6)
    assert offset(joint_positions=[0.0, -0.2, 0.0, -0.2]) == pytest.approx([0.0, left], abs=1e-6)
    # A stride is no offset: one foot ahead, the other as far behind.
    assert offset(joint_positions=[0.3, 0.0, -0.3, 0.0]) == pytest.approx([0.0, 0.0], abs=1e-6)


def test_what_the_base_moves_over_standing_feet_is_how_fast_it_moves():
    odometry, step = LegOdometry(LEGS, NAMES), 1e-3
    before, after = (odometry.measure(standing(
        joint_positions=[0.1 + 0.5 * t, 0.2 - 0.3 * t] * 2, joint_velocities=[0.5, -0.3] * 2))
        for t in (0.0, step))
    np.testing.assert_allclose((after.offset - before.offset) / step, before.velocity, atol=1e-2)


@pytest.mark.parametrize('lifted, expected', [((0, 1), 0.2), ((2, 3), 0.7)])
def test_the_lower_sole_is_the_one_that_stands(lifted, expected):
    positions = [0.0] * 4
    positions[lifted[0]] = 0.4
    found = velocity(standing(joint_positions=positions, joint_velocities=[0.7, 0.0, 0.2, 0.0]))
    assert found[0] == pytest.approx(expected)


def test_rounding_does_not_choose_between_level_soles():
    speeds = [0.7, 0.0, 0.2, 0.0]
    assert velocity(standing(joint_velocities=speeds))[0] == pytest.approx(0.45)
    for i in (0, 2):  # a depth that differs by 1e-8 m
        positions = [1.4e-4 if j == i else 0.0 for j in range(4)]
        found = velocity(standing(joint_positions=positions, joint_velocities=speeds))
        assert found[0] == pytest.approx(0.45, abs=1e-3)


def test_lower_is_meant_over_the_floor_not_in_the_base():
    # The base leans by 0.3 rad to its left: there the left leg, drawn up a little, is the lower.
    leaning = standing(base_orientation=[math.sin(-0.15), 0.0, 0.0, math.cos(0.15)],
                       joint_positions=[0.2, 0.0, 0.0, 0.0], joint_velocities=[0.7, 0, 0.2, 0])
    assert velocity(leaning)[0] == pytest.approx(0.7 * math.cos(0.2), abs=1e-4)


def test_where_the_robot_heads_does_not_matter():
    rng = np.random.default_rng(4)
    now = state(rng, 20, 4)
    turn = rotations.yaw_quaternion(rng.uniform(-3.0, 3.0, 20).astype(np.float32))
    turned = dataclasses.replace(
        now, base_orientation=rotations.multiply(turn, now.base_orientation))
    odometry = LegOdometry(LEGS, NAMES)
    for found, expected in zip(odometry.measure(turned), odometry.measure(now)):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_robots_are_measured_one_by_one_in_numpy_as_in_torch():
    torch = pytest.importorskip('torch')
    now, odometry = state(np.random.default_rng(5), 8, 4), LegOdometry(LEGS, NAMES)
    alone = [odometry.measure(row(now, i)) for i in range(8)]
    theirs = odometry.measure(as_torch(now))
    for name, found in odometry.measure(now)._asdict().items():
        one_by_one = np.concatenate([getattr(it, name) for it in alone])
        np.testing.assert_allclose(one_by_one, found, atol=1e-6)
        assert getattr(theirs, name).dtype == torch.float32
        np.testing.assert_allclose(getattr(theirs, name).numpy(), found, atol=1e-5)


def test_legs_that_cannot_be_are_refused():
    one_joint = LegSpec(('j0',), ((0.0, 1.0, 0.0),), ((0.0, 0.0, 0.0),), (0.0, 0.0, -1.0))
    with pytest.raises(ValueError, match=r'two with the same number of joints, found \[2, 1\]'):
        LegOdometry([LEGS[0], one_joint], NAMES)
    with pytest.raises(ValueError, match=r'two with the same number of joints, found \[2\]'):
        LegOdometry(LEGS[:1], NAMES)
    with pytest.raises(JointsError, match=r"missing joints \['j3'\]"):
        LegOdometry(LEGS, NAMES[:3])


@pytest.mark.parametrize('changes, message', [
    ({'axes': ((0.0, 1.0, 0.0),)}, "found 1 and 2 for ..j0', 'j1'."),
    ({'axes': ((0.0, 2.0, 0.0), (1.0, 0.0, 0.0))}, r'expected unit length, found \[2.0, 1.0\]'),
    ({'sole': (0.0, math.nan, 0.0)}, 'every value of the leg .* must be finite')])
def test_a_leg_with_a_wrong_figure_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LEGS[0], **changes)


def test_a_sole_that_hangs_from_no_leg_is_refused():
    with pytest.raises(ConfigError, match="site 'imu': expected below 'pelvis' at the end of a"):
        leg_spec(load_robot('unitree_g1'), 'imu')
