# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A contract is held against the robot that it would move."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.contract import ObservationSpec, TermSpec, contract_for
from humanoid_locomotion.core.errors import ConfigError, JointsError, PolicyError
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.robot_bounds import (
    WIDER,
    PolicyBounds,
    check_contract,
    read_names,
    wider_bounds,
)
from humanoid_locomotion.core.safety.evidence import POSITION_MARGIN, SafetyLimits

ROBOT = load_robot('humanoid')
LIMITS = CommandSpec.of(
    lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-1.0, 1.0))
CONTRACT = contract_for(
    ROBOT, control_period=0.02, action_mode='default_offset', action_scale=0.25,
    observation=ObservationSpec('x', (TermSpec('joint_positions'),)), command_limits=LIMITS,
    gait=None)
KNEE = ROBOT.joint_names.index('left_knee')


def with_knee(**changes):
    """Return the contract with other figures of the left knee."""
    joints = list(CONTRACT.joints)
    joints[KNEE] = dataclasses.replace(joints[KNEE], **changes)
    return dataclasses.replace(CONTRACT, joints=tuple(joints))


@pytest.mark.parametrize('name', ['humanoid', 'unitree_g1', 'unitree_h1'])
def test_what_training_writes_suits_the_robot(name):
    robot = load_robot(name)
    check_contract(contract_for(
        robot, control_period=0.02, action_mode='default_offset', action_scale=0.25,
        observation=CONTRACT.observation, command_limits=LIMITS, gait=None), robot, 'here')


@pytest.mark.parametrize('changes, message', [
    ({'kp': 1e6}, 'joint left_knee: kp is 1e[+]06 Nm/rad, .* times the robot.s 202.129, '
                  'allowed is 0.2 to 5 times'),
    ({'kp': 1.0}, 'kp is 1 Nm/rad'),
    ({'kd': 1e-3}, 'kd is 0.001 Nm s/rad'),
    ({'kd': 500.0}, 'kd is 500 Nm s/rad'),
    ({'effort': 1e9}, 'effort is 1e[+]09 Nm, the robot has 150'),
    ({'effort': 151.0}, 'effort is 151 Nm'),
    ({'lower': -1e6, 'upper': 1e6}, 'targets go from -1e[+]06 to 1e[+]06 rad, the joint from 0 '
                                    'to 2.4'),
    ({'upper': 2.5}, 'targets go from 0 to 2.5 rad'),
    ({'upper': 4.0, 'default': 3.0}, 'default is 3 rad, the joint goes from 0 to 2.4'),
    ({'action_scale': 1e6}, 'action_scale is 1e[+]06 rad, allowed is 0.001 to 2 rad'),
    ({'action_scale': 0.0}, 'action_scale is 0 rad'),
    ({'action_scale': -0.2}, 'action_scale is -0.2 rad')])
def test_a_joint_that_asks_for_more_than_the_robot_allows_is_refused(changes, message):
    with pytest.raises(PolicyError, match=f"^here: does not suit robot 'humanoid': .*{message}"):
        check_contract(with_knee(**changes), ROBOT, 'here')


@pytest.mark.parametrize('changes, message', [
    ({'control_period': 1e-9}, 'control_period is 1e-09 s, allowed is 0.002 to 0.1 s'),
    ({'control_period': 0.9}, 'control_period is 0.9 s'),
    ({'model_hash': '0' * 16}, 'model_hash is 0000000000000000, the robot has '),
    ({'robot': 'wren'}, "it is for robot 'wren'")])
def test_a_contract_of_another_robot_or_rhythm_is_refused(changes, message):
    with pytest.raises(PolicyError, match=message):
        check_contract(dataclasses.replace(CONTRACT, **changes), ROBOT, 'here')


@pytest.mark.parametrize('changes', [
    {'kp': 0.0}, {'kp': -50.0}, {'kd': 0.0}, {'kd': -5.0}, {'effort': -10.0}, {'effort': 0.0},
    {'default': 3.0}, {'default': -0.1}])
def test_a_joint_that_no_robot_could_follow_is_refused_without_one(changes):
    with pytest.raises(ValueError, match='joint left_knee: '):
        with_knee(**changes)


def test_joints_that_the_robot_lacks_are_named():
    joints = (dataclasses.replace(CONTRACT.joints[0], name='tail'), *CONTRACT.joints[1:])
    with pytest.raises(JointsError, match=r"here: robot 'humanoid': missing joints \['tail'\]"):
        check_contract(dataclasses.replace(CONTRACT, joints=joints), ROBOT, 'here')


@pytest.mark.parametrize('changes, name', [
    ({'kp': 7 * 202.0}, 'gains'), ({'upper': 2.7}, 'limits'), ({'action_scale': 3.0},
                                                              'action_scale')])
def test_what_was_accepted_by_name_is_held_to_wider_bounds(changes, name):
    contract = with_knee(**changes)
    with pytest.raises(PolicyError, match=f'policy retune with --beyond-robot {name}'):
        check_contract(contract, ROBOT, 'here')
    accepted = dataclasses.replace(contract, beyond_robot=(name,))
    check_contract(accepted, ROBOT, 'here')
    assert wider_bounds(accepted) == f'{name}: {WIDER[name]}'
    assert wider_bounds(contract) == ''


@pytest.mark.parametrize('changes', [
    {'kp': 1e6}, {'effort': 1e9}, {'lower': -1e6, 'upper': 1e6}, {'action_scale': 1e6}])
def test_nobody_can_accept_what_would_break_the_robot(changes):
    contract = dataclasses.replace(with_knee(**changes), beyond_robot=tuple(WIDER))
    with pytest.raises(PolicyError) as refusal:
        check_contract(contract, ROBOT, 'here')
    assert '--beyond-robot' not in str(refusal.value)


def test_a_long_list_is_cut():
    joints = tuple(dataclasses.replace(joint, kp=1e6) for joint in CONTRACT.joints)
    with pytest.raises(PolicyError, match=r'; and 19 more$'):
        check_contract(dataclasses.replace(CONTRACT, joints=joints), ROBOT, 'here')


def test_names_are_read_from_a_text():
    assert read_names('') is None
    assert read_names('limits, gains,gains') == ('gains', 'limits')
    with pytest.raises(ValueError, match=r"unknown names \['everything'\]; the names are "):
        read_names('everything')
    with pytest.raises(ValueError, match='beyond_robot: unknown names'):
        dataclasses.replace(CONTRACT, beyond_robot=('everything',))


def test_what_was_accepted_is_part_of_the_contract():
    accepted = dataclasses.replace(CONTRACT, beyond_robot=('gains',))
    assert accepted.fingerprint != CONTRACT.fingerprint
    again = yaml.safe_load(yaml.safe_dump(accepted.to_mapping()))
    assert type(CONTRACT).from_mapping(again, 'contract.yaml') == accepted


def test_the_bounds_live_in_robot_yaml(tmp_path):
    for name in ('robot.yaml', 'robot.xml', 'robot.urdf'):
        (tmp_path / name).write_bytes((ROBOT.mjcf_path.parent / name).read_bytes())
    path = tmp_path / 'robot.yaml'
    path.write_text(path.read_text() + 'policy_bounds: {kp_factor: [0.9, 1.1]}\n')
    robot = load_robot(tmp_path)
    assert robot.policy_bounds == PolicyBounds(kp_factor=(0.9, 1.1))
    contract = dataclasses.replace(with_knee(kp=1.2 * 202.129), model_hash=robot.model_hash)
    with pytest.raises(PolicyError, match=r'1\.2 times the robot.s 202\.129, allowed is 0\.9'):
        check_contract(contract, robot, 'here')


@pytest.mark.parametrize('bounds', [[0.0, 1.0], [2.0, 1.0], [-1.0, 1.0], [0.1, float('inf')],
                                    [float('nan'), 1.0]])
def test_bounds_that_bound_nothing_are_refused(bounds):
    with pytest.raises(ConfigError, match=r'kd_factor: expected \[low, high\]'):
        config.from_mapping(PolicyBounds, {'kd_factor': bounds}, 'robot.yaml')


def test_a_position_is_held_against_the_robot_even_where_targets_may_go_beyond():
    limits = SafetyLimits.of(with_knee(lower=-0.4, upper=2.8), ROBOT, 1.0, sensor_timeout=0.1,
                             unchanged_timeout=0.25, max_tilt=0.8, min_height=0.0)
    assert limits.lower[KNEE] == np.float32(0.0 - POSITION_MARGIN)
    assert limits.upper[KNEE] == np.float32(2.4 + POSITION_MARGIN)
    narrow = SafetyLimits.of(with_knee(upper=2.0), ROBOT, 1.0, sensor_timeout=0.1,
                             unchanged_timeout=0.25, max_tilt=0.8, min_height=0.0)
    assert narrow.upper[KNEE] == np.float32(2.0 + POSITION_MARGIN)
