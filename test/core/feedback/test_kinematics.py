# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sensor that is not in the base: MuJoCo's own kinematics must agree."""

from __future__ import annotations

from dataclasses import replace
import shutil

import numpy as np
import pytest

from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.kinematics import LinkFrame, joint_lines
from humanoid_locomotion.core.robot import load_robot

H1, G1 = load_robot('unitree_h1'), load_robot('unitree_g1')


@pytest.mark.parametrize('robot, link', [
    (H1, 'torso_link'), (H1, 'imu'), (G1, 'torso_link'), (G1, 'left_knee_link'),
    (G1, 'right_wrist_yaw_link'), (G1, 'left_sole')])
def test_the_base_moves_as_the_simulator_says(robot, link):
    agree(robot, link, is_site=link in ('imu', 'left_sole'))


def test_a_sensor_mounted_askew_is_turned_back(tmp_path):
    folder = shutil.copytree(H1.folder, tmp_path / 'h1')
    path = folder / 'robot.xml'
    path.write_text(path.read_text().replace('<site name="imu"', (
        '<frame quat="0.8 0 0.6 0"><site name="askew" quat="0.6 0.8 0 0"/></frame>'
        '<site name="imu"')))
    agree(replace(H1, folder=str(folder)), 'askew', is_site=True)


def test_a_tilted_axis_is_read_from_the_model(tmp_path):
    agree(changed(tmp_path, '"torso_joint" axis="0 0 1"', '"torso_joint" axis="0.5 -1 2"'),
          'torso_link', is_site=False)


def test_an_axis_that_is_absent_is_the_z_axis_unless_a_default_class_has_one(tmp_path):
    robot = changed(tmp_path, '"torso_joint" axis="0 0 1"', '"torso_joint"')
    agree(robot, 'torso_link', is_site=False)
    path = robot.mjcf_path
    path.write_text(path.read_text().replace(
        '</mujoco>', '<default><joint axis="0 1 0"/></default></mujoco>'))
    with pytest.raises(ConfigError, match="joint 'torso_joint': axis: expected three numbers at "
                       'the joint itself, found an axis in a default class'):
        LinkFrame(robot, 'torso_link', robot.joint_names)


def test_an_axis_without_a_direction_is_refused(tmp_path):
    robot = changed(tmp_path, '"torso_joint" axis="0 0 1"', '"torso_joint" axis="0 0 0"')
    with pytest.raises(ConfigError, match=r"'torso_joint': axis: expected a vector, found 0 0 0"):
        LinkFrame(robot, 'torso_link', robot.joint_names)


@pytest.mark.parametrize('robot', [H1, G1, load_robot('humanoid')], ids=lambda it: it.name)
def test_joint_lines_are_where_the_simulator_has_them(robot):
    mujoco = pytest.importorskip('mujoco')
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data = mujoco.MjData(model)
    data.qpos[:] = 0.0
    data.qpos[3] = 1.0
    for joint in robot.joints:
        data.qpos[model.joint(joint.name).qposadr[0]] = joint.default
    mujoco.mj_kinematics(model, data)
    lines = joint_lines(robot)
    assert set(lines) == set(robot.joint_names)
    for name, line in lines.items():
        number = model.joint(name).id
        np.testing.assert_allclose(line.axis, data.xaxis[number], atol=1e-9)
        np.testing.assert_allclose(line.anchor, data.xanchor[number], atol=1e-9)


def changed(tmp_path, old, new):
    """Give a copy of H1 whose MJCF has one text replaced."""
    folder = shutil.copytree(H1.folder, tmp_path / 'h1')
    text = (folder / 'robot.xml').read_text()
    assert old in text
    (folder / 'robot.xml').write_text(text.replace(old, new))
    return replace(H1, folder=str(folder))


def agree(robot, link, is_site):
    """Let MuJoCo say how the base and the link move in random poses."""
    mujoco = pytest.importorskip('mujoco')
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    data, drawn = mujoco.MjData(model), np.random.default_rng(3)
    joints = [model.joint(name) for name in robot.joint_names]
    kind = mujoco.mjtObj.mjOBJ_SITE if is_site else mujoco.mjtObj.mjOBJ_XBODY
    number = (model.site if is_site else model.body)(link).id
    frame = LinkFrame(robot, link, robot.joint_names)
    for _ in range(5):
        data.qpos[:] = drawn.uniform(-1.0, 1.0, model.nq)
        data.qpos[3:7] /= np.linalg.norm(data.qpos[3:7])
        data.qvel[:] = drawn.uniform(-2.0, 2.0, model.nv)
        mujoco.mj_forward(model, data)
        quaternion, velocity = np.zeros(4), np.zeros(6)
        mujoco.mju_mat2Quat(quaternion, (data.site if is_site else data.body)(link).xmat)
        mujoco.mj_objectVelocity(model, data, kind, number, velocity, True)
        orientation, angular_velocity = frame.base_motion(
            quaternion[[1, 2, 3, 0]], velocity[:3],
            np.array([data.qpos[joint.qposadr[0]] for joint in joints]),
            np.array([data.qvel[joint.dofadr[0]] for joint in joints]))
        expected = data.qpos[[4, 5, 6, 3]]
        assert abs(orientation @ expected) == pytest.approx(1.0, abs=1e-9)
        np.testing.assert_allclose(angular_velocity, data.qvel[3:6], atol=1e-9)


@pytest.mark.parametrize('name', ['pelvis', 'imu', 'imu_link', ''])
def test_what_is_fixed_in_the_base_is_not_turned(name):
    assert not LinkFrame(G1, name, G1.joint_names).is_turned  # its IMU is in the pelvis


def test_a_joint_that_nobody_measures_is_named():
    with pytest.raises(JointsError, match=r"'pelvis' and 'imu': missing joints \['torso_joint'\]"):
        LinkFrame(H1, 'imu', H1.joint_names[:5])


def test_a_rotation_that_is_not_read_is_named(tmp_path):
    folder = shutil.copytree(H1.folder, tmp_path / 'h1')
    path = folder / 'robot.xml'
    path.write_text(path.read_text().replace(
        '<site name="imu"', '<site name="imu" euler="0 0 1"'))
    with pytest.raises(ConfigError, match="site 'imu': euler: only 'quat' is read"):
        LinkFrame(replace(H1, folder=str(folder)), 'imu', H1.joint_names)
