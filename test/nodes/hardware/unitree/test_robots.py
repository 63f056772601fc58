# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motor tables and the remote, by worked examples."""

import dataclasses

import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.port import Remote
from humanoid_locomotion.nodes.hardware.unitree import remote
from humanoid_locomotion.nodes.hardware.unitree.robots import (
    G1,
    G1_23,
    H1,
    H1_2,
    MACHINES,
    machine_with,
)


@pytest.mark.parametrize('machine, count', [(G1, 29), (G1_23, 23), (H1, 19), (H1_2, 27)])
def test_every_machine_has_its_number_of_different_joints(machine, count):
    assert len(machine.joints) == len(set(machine.joints)) == count
    assert len(machine.modes) == len(machine.motors)
    assert machine_with(machine.joints, 'robot') is machine


def test_the_robots_of_the_package_are_known():
    g1, h1, h1_2 = (load_robot(f'unitree_{name}') for name in ('g1', 'h1', 'h1_2'))
    assert list(G1.joints) == g1.joint_names  # the contract's order is the motors'
    assert list(H1_2.joints) == h1_2.joint_names
    for robot, machine in ((g1, G1), (h1, H1), (h1_2, H1_2)):
        assert machine_with(robot.joint_names, robot.name) is machine
        assert f'name="{machine.imu_frame}"' in robot.mjcf_path.read_text()


def test_motors_have_the_indices_of_unitrees_tables():
    assert [G1.motors.index(f'{name}_joint') for name in (
        'left_hip_pitch', 'right_hip_pitch', 'waist_yaw', 'left_shoulder_pitch',
        'right_wrist_yaw')] == [0, 6, 12, 15, 28]
    assert [G1_23.motors.index(f'{name}_joint') for name in (
        'waist_yaw', 'left_wrist_roll', 'right_wrist_roll')] == [12, 19, 26]
    assert [i for i, name in enumerate(G1_23.motors) if name is None] == [13, 14, 20, 21, 27, 28]
    assert [H1.motors.index(f'{name}_joint') for name in (
        'right_hip_roll', 'torso', 'left_hip_yaw', 'left_ankle', 'right_shoulder_pitch',
        'left_shoulder_pitch')] == [0, 6, 7, 10, 12, 16]
    assert H1.motors[9] is None
    assert H1_2.motors[12] == 'torso_joint' and H1_2.motors[26] == 'right_wrist_yaw_joint'


def test_no_value_of_mode_machine_names_two_machines():
    values = [value for machine in MACHINES for value in machine.mode_machines or ()]
    assert len(values) == len(set(values))


def test_a_robot_of_another_maker_is_refused_with_the_difference():
    joints = [*G1.joints[:-1], 'tail_joint']
    with pytest.raises(ConfigError, match=r'my_robot: joints: .*29 joints.*G1 with 29 joints.*'
                       r'tail_joint.*right_wrist_yaw_joint'):
        machine_with(joints, 'my_robot')


def test_the_remote_has_the_bits_of_unitrees_table():
    data = bytearray(40)
    data[2:4] = 0b0010_0000, 0b0000_0010  # L2 and B
    assert remote.decode(bytes(data)) == Remote(frozenset({'L2', 'B'}))
    for i, name in enumerate(remote.BUTTONS):
        assert remote.encode(Remote(frozenset({name})))[2:4] == (1 << i).to_bytes(2, 'little')


def test_sticks_and_buttons_survive_the_remotes_bytes():
    held = Remote(frozenset({'R1', 'A', 'left'}), left=(0.25, -1.0), right=(0.5, 0.75))
    assert remote.decode(remote.encode(held)) == held
    assert remote.encode(dataclasses.replace(held, buttons=frozenset()))[4:8].hex() == '0000803e'


def test_no_remote_is_forty_zeros():
    assert remote.encode(None) == bytes(40)
    assert remote.decode(bytes(40)) is None
