# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A contract told in flat keys is the contract; what does not fit is refused by its key."""

from __future__ import annotations

import dataclasses

import pytest
from samples import LEGS, contract

from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.contract import ObservationSpec, TermSpec
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.policy.adoption.flat_metadata import FlatMetadata
from humanoid_locomotion.core.policy.onnx_metadata import TERM_NAMES, to_flat
from humanoid_locomotion.core.terms import TERMS

# What mjlab writes for a velocity task, its three decimals included.
MJLAB = {
    'run_path': 'runs/velocity', 'joint_names': 'robot/j0,robot/j1', 'joint_stiffness':
    '40.179,99.098', 'joint_damping': '2.558,6.309', 'default_joint_pos': '-0.312,0.000',
    'action_scale': '0.548,0.351', 'command_names': 'twist', 'observation_names':
    'base_lin_vel,base_ang_vel,projected_gravity,joint_pos,joint_vel,actions,command'}
# What it leaves out.
REST = {
    'joint_lower': [-1.0, -2.0], 'joint_upper': [1.0, 2.0], 'joint_effort': [88.0, 139.0],
    'action_mode': 'default_offset', 'control_period': 0.02, 'observation_scales': 1.0,
    'observation_clips': 'inf', 'observation_history': 1, 'observation_layout': 'mjlab',
    'command_lower': [-1, -0.5, -1], 'command_upper': [1.0, 0.5, 1.0], 'robot': 'two',
    'model_hash': 'unknown'}


def read(**changes):
    """Read what mjlab writes with the rest, keys changed, or left out where None."""
    rest = {**REST, **changes}
    return FlatMetadata(('fill.yaml', {k: v for k, v in rest.items() if v is not None}),
                        ('policy.onnx', MJLAB)).contract()


@pytest.mark.parametrize('it', [
    contract(), contract(layout='proprioceptive_clock', history=3),
    contract(layout='full_state', observed=2), contract(action_mode='joint_range'),
    contract(yaw_rate_integral=IntegralSpec(1.25, 0.1)),
    contract(beyond_robot=('targets',), gait=GaitSpec(0.8, 0.01, 'half_stride'), history=5,
             observation=ObservationSpec('other', (
                 TermSpec('leg_phase_cosines'), TermSpec('velocity_command', (2.0, 2.0, 0.25)),
                 TermSpec('joint_positions', 0.5)), 5, history_order='term')),
    contract(linear_velocity_loop=LinearLoopSpec(0.5, 1.0 / 3.0, 0.25, 3.0), legs=LEGS)])
def test_a_contract_survives_its_flat_keys_to_the_last_digit(it):
    it = dataclasses.replace(it, control_period=1.0 / 70.0)
    flat = to_flat(it, 'runs/x')
    assert all(isinstance(value, str) for value in flat.values())
    again = FlatMetadata(('policy.onnx', flat)).contract()
    assert again == it and again.fingerprint == it.fingerprint


def test_a_clip_survives():
    terms = (TermSpec('joint_velocities', 0.05, 10.0), TermSpec('projected_gravity'))
    spec = dataclasses.replace(contract().observation, terms=terms)
    it = contract(observation=spec)
    assert FlatMetadata(('policy.onnx', to_flat(it, ''))).contract().observation.terms == terms


def test_what_mjlab_writes_is_read_in_its_order_and_its_names():
    it = read(observation_scales=[2.0, 0.25, 1, 1, 0.05, 1, 1])
    assert it.joint_names == ['j0', 'j1']
    assert it.values('kp').tolist() == [40.179, 99.098]
    assert it.values('effort').tolist() == [88.0, 139.0]
    assert [(term.name, term.scale) for term in it.observation.terms] == [
        ('base_linear_velocity', 2.0), ('base_angular_velocity', 0.25),
        ('projected_gravity', 1.0), ('joint_positions_from_default', 1.0),
        ('joint_velocities', 0.05), ('previous_action', 1.0), ('velocity_command', 1.0)]
    assert it.command_limits['lin_vel_y'].to_config() == [-0.5, 0.5]
    assert it.gait is None and it.observation.joints is None


def test_the_first_source_is_believed():
    assert read(action_scale=0.5).values('action_scale').tolist() == [0.5, 0.5]
    assert read().values('action_scale').tolist() == [0.548, 0.351]


def test_every_name_of_the_field_means_a_term_of_ours():
    assert set(TERM_NAMES.values()) == set(TERMS)


def test_every_missing_key_is_named_at_once_with_what_it_means():
    with pytest.raises(ConfigError, match=r'fill.yaml \+ policy.onnx: missing keys '
                       r"\['control_period', 'command_lower'\]; expected control_period: time "
                       r'between two control steps \[s\]; command_lower: '):
        read(control_period=None, command_lower=None)


@pytest.mark.parametrize('changes, message', [
    ({'observation_names': 'joint_pos,height_scan'},
     r"yaml: observation_names: found the unknown terms \['height_scan'\]; expected \['actions',"),
    ({'command_names': 'motion'}, r"command_names: found \['motion'\], expected lin_vel_x.*twist"),
    ({'joint_stiffness': '1,2,3'}, 'joint_stiffness: found 3 numbers, expected 2: kp of each'),
    ({'joint_damping': 'soft,hard'}, r"joint_damping: found \['soft', 'hard'\], expected kd of"),
    ({'control_period': 'nan'}, r"control_period: found \['nan'\], expected time between"),
    ({'control_period': 20.0}, r'control_period: expected seconds in \(0, 1\), found 20'),
    ({'observation_scales': [1, 2]}, 'observation_scales: found 2 numbers, expected 7 or 18'),
    ({'observation_history': 'five'}, r"observation_history: found \['five'\], expected number"),
    ({'observation_history': '²'}, r"observation_history: found \['²'\], expected number"),
    ({'observation_history': '9' * 5000}, 'observation_history: found .*, expected number'),
    ({'observation_history_lengths': '²'}, r"observation_history_lengths: found \['²'\], exp"),
    ({'observation_clips': [-1.0] * 7}, r"observation_clips: found \['-1.0', .* largest magn"),
    ({'observation_history_lengths': [5, 1, 5, 5, 5, 5, 5]}, 'expected the same history of each'),
    ({'observation_history': 5}, r"missing keys \['observation_history_order'\].*--history-order"),
    ({'observation_history': 5, 'observation_history_order': 'oldest'},
     r"order: found \['oldest'\], expected frame if whole"),
    ({'gait_period': 0.8, 'gait_moving_threshold': 0.1, 'gait_at_rest': 'off'},
     r"gait_at_rest: found \['off'\], expected the clock while standing: half_stride, running"),
    ({'clip_targets': 'yes'}, r"clip_targets: found \['yes'\], expected true if"),
    ({'action_mode': 'torque'}, "action_mode: expected one of .* found 'torque'"),
    ({'command_lower': [0.5, 0, 0]}, 'the range must contain 0'),
    ({'joint_upper': [-5.0, 2.0]}, 'joint j0: lower -1.0 is not below upper -5.0'),
    ({'observation_joints': ['j7']}, r"missing joints \['j7'\]"),
    ({'gait_period': 0.8}, r"missing keys \['gait_moving_threshold'\]"),
    ({'yaw_rate_integral_limit': 0.2}, r"missing keys \['yaw_rate_integral_gain'\]"),
    ({'linear_velocity_loop_gain': 0.5, 'linear_velocity_loop_limit': 0.2,
      'linear_velocity_loop_damping': 0.0, 'linear_velocity_loop_stiffness': 0.0},
     r"missing keys \['leg_joint_names'\]"),
    ({'linear_velocity_loop_gain': 0.5, 'linear_velocity_loop_limit': 0.2,
      'linear_velocity_loop_damping': 0.0, 'linear_velocity_loop_stiffness': 0.0,
      'leg_joint_names': 'j0,j1', 'leg_joint_axes': [1, 0, 0]},
     'leg_joint_axes: found 3 numbers, expected 6'),
    ({'leg_joint_names': 'j0,j1', 'leg_joint_axes': [0, 1, 0] * 2, 'leg_joint_origins': [0] * 6,
      'sole_positions': [0, 0.1, -1, 0, -0.1, -1]}, 'one is there without the other'),
    ({'yaw_rate_integral_gain': -1.0, 'yaw_rate_integral_limit': 0.2}, 'gain must be above 0'),
    ({'gait_period': 0.0, 'gait_moving_threshold': 0.1}, r"gait_period: found \['0.0'\]"),
    ({'observation_names': 'gait_phase', 'observation_scales': 1.0},
     r"missing keys \['gait_period', 'gait_moving_threshold'\]")])
def test_what_does_not_fit_is_refused_by_its_key(changes, message):
    with pytest.raises(ConfigError, match=message):
        read(**changes)


def test_a_history_of_one_step_is_no_history():
    assert read(observation_history_lengths='1,1,1,1,1,1,1').observation.history == 1


def test_a_history_of_each_term_is_in_the_order_of_terms():
    it = read(observation_history_lengths=[5] * 7).observation
    assert (it.history, it.history_order) == (5, 'term')
    it = read(observation_history=5, observation_history_order='frame').observation
    assert (it.history, it.history_order) == (5, None)
