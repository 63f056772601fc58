# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The contract: written, signed, read back, and refused if a figure was changed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from samples import LEGS, contract
import yaml

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import (
    ObservationSpec,
    PolicyContract,
    TermSpec,
    contract_for,
)
from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.terms import LAYOUTS


def leaves(data, path=()):
    """Give the path of every figure in plain data."""
    if isinstance(data, (dict, list)) and data:
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return [leaf for key, item in items for leaf in leaves(item, path + (key,))]
    return [path]


def changed(value):
    """Give a value of the same kind that differs, by as little as matters."""
    if isinstance(value, (bool, type(None))):
        return ['j0'] if value is None else not value
    return value + 'x' if isinstance(value, str) else value + 1e-12 if value else 1e-12


@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_a_contract_survives_yaml_and_json(layout):
    it = contract(layout=layout, observed=2, history=3)
    text = yaml.safe_dump(it.to_mapping(), sort_keys=False)
    assert text.startswith('fingerprint:')
    again = PolicyContract.from_mapping(yaml.safe_load(text), 'contract.yaml')
    assert again == it and again.fingerprint == it.fingerprint
    assert config.from_mapping(PolicyContract, json.loads(it.to_json()), 'json') == it


def test_the_fingerprint_covers_every_figure():
    it = contract(layout='proprioceptive_clock', yaw_rate_integral=IntegralSpec(1.0, 0.2),
                  linear_velocity_loop=LinearLoopSpec(0.5, 0.3, 0.25, 3.0), legs=LEGS,
                  beyond_robot=('gains',), commanded=('j1', 'j0'),
                  gait=GaitSpec(0.8, 0.1, 'running'),
                  observation=ObservationSpec('x', (TermSpec('gait_clock', (1.0, 2.0)),), 2,
                                              ('j1',), 'term'))
    plain = config.to_mapping(it)
    seen = {it.fingerprint}
    paths = leaves(plain)
    for path in paths:
        data = json.loads(it.to_json())
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = changed(inner[path[-1]])
        signed = {'fingerprint': it.fingerprint, **data}
        with pytest.raises(ConfigError):
            PolicyContract.from_mapping(signed, 'contract.yaml')
        try:
            seen.add(config.from_mapping(PolicyContract, data, 'changed').fingerprint)
        except ConfigError:
            seen.add(path)  # a change that is refused outright
    assert len(seen) == len(paths) + 1


def test_a_contract_without_a_loop_is_written_as_before_there_was_one():
    it = contract()
    assert 'yaw_rate_integral' not in it.to_mapping()
    assert 'integral' not in it.to_json() and 'legs' not in it.to_json()
    assert 'history_order' not in it.to_json()
    assert 'at_rest' not in contract(layout='proprioceptive_clock').to_json()
    assert PolicyContract.from_mapping(it.to_mapping(), 'contract.yaml') == it


def test_a_loop_over_the_floor_needs_legs_and_legs_a_loop():
    for alone in ({'linear_velocity_loop': LinearLoopSpec(0.5, 0.3, 0.5, 4.0)}, {'legs': LEGS}):
        with pytest.raises(ValueError, match='legs: one is there without the other'):
            contract(**alone)
    with pytest.raises(JointsError, match=r"legs: missing joints \['j3'\]"):
        contract(num_joints=3, linear_velocity_loop=LinearLoopSpec(0.5, 0.3, 0.5, 4.0), legs=LEGS)


def test_a_tampered_contract_says_so():
    data = contract().to_mapping()
    data['joints'][0]['kp'] += 1.0
    with pytest.raises(ConfigError, match='a value was changed after export'):
        PolicyContract.from_mapping(data, 'contract.yaml')


def test_a_contract_without_a_fingerprint_is_refused():
    with pytest.raises(ConfigError, match='fingerprint: the contract says None'):
        PolicyContract.from_mapping(config.to_mapping(contract()), 'contract.yaml')


@pytest.mark.parametrize('change, message', [
    ({'format_version': 2}, 'this package reads 1, found 2'),
    ({'action_mode': 'torque'}, "expected one of .*found 'torque'"),
    ({'control_period': 20.0}, r'expected seconds in \(0, 1\), found 20.0'),
    ({'joints': contract(1).joints * 2}, r"\['j0'\] appear more than once"),
    ({'commanded': ('j0', 'j0')}, r"commanded: \['j0'\] appear more than once"),
    ({'commanded': ('j9',)}, r"commanded: missing joints \['j9'\]"),
    ({'commanded': ()}, r'commanded must not be empty'),
    ({'observation': ObservationSpec('x', (TermSpec('joint_positions'),), 1, ('j9',))},
     r"missing joints \['j9'\]")])
def test_a_contract_that_cannot_be_run_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(contract(), **change)


@pytest.mark.parametrize('scale, clip, message', [
    (1e9, None, 'scale must be from -1000 to 1000, found 1000000000.0'),
    (float('nan'), None, 'scale must be'), (1.0, 0.0, 'clip must be above 0 and finite'),
    (1.0, float('inf'), 'clip must be above 0 and finite'), (1.0, -1.0, 'clip must be above 0')])
def test_a_term_out_of_range_is_refused(scale, clip, message):
    with pytest.raises(ValueError, match=f'term x: {message}'):
        TermSpec('x', scale, clip)


@pytest.mark.parametrize('change, message', [
    ({'kp': float('nan')}, 'must be finite'), ({'lower': 3.0}, 'is not below upper')])
def test_a_joint_that_cannot_be_run_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(contract().joints[0], **change)


@pytest.mark.parametrize('arguments, message', [
    ({'terms': ()}, 'terms must not be empty'),
    ({'terms': (TermSpec('x'),), 'history': 0}, 'history must be from 1 to 128, found 0'),
    ({'terms': (TermSpec('x'),), 'history': 10**9}, 'history must be from 1 to 128')])
def test_an_empty_observation_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ObservationSpec('x', **arguments)


def test_joints_are_looked_up_in_the_order_written():
    it = contract(num_joints=4, observed=2)
    assert it.joint_names == ['j0', 'j1', 'j2', 'j3'] and it.num_actions == 4
    assert it.observed_joints == ['j2', 'j3']
    assert contract(num_joints=3).observed_joints == ['j0', 'j1', 'j2']
    assert it.values('default').tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_contract_for_a_robot_takes_its_figures_over():
    robot = load_robot('humanoid')
    it = contract_for(
        robot, control_period=0.02, action_mode='default_offset', action_scale=0.5,
        observation=ObservationSpec('proprioceptive', LAYOUTS['proprioceptive']),
        command_limits=CommandSpec.of(
            lin_vel_x=(-1.0, 1.0), lin_vel_y=(0.0, 0.0), ang_vel_z=(-1.0, 1.0)),
        gait=GaitSpec(0.8, 0.1))
    assert it.joint_names == robot.joint_names and it.model_hash == robot.model_hash
    # An action of one asks every joint for the same share of its torque: kp * scale = effort / 2.
    assert it.values('kp') * it.values('action_scale') == pytest.approx(it.values('effort') / 2)
