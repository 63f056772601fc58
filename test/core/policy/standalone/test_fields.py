# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metadata and deploy.yaml say to other stacks what the contract says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from policy_factory import make_contract
import pytest
from samples import contract

from humanoid_locomotion.core.policy.standalone import fields


def test_the_fields_have_mjlabs_names_and_order():
    metadata = fields.metadata(contract(), 'run')
    assert metadata['observation_names'] == (
        'base_ang_vel,projected_gravity,command,joint_pos,joint_vel,actions')
    assert metadata['command_names'] == 'twist'
    assert metadata['action_scale'] == '0.25,0.25,0.25,0.25'
    assert metadata['default_joint_pos'].split(',')[:2] == ['0.0', '0.1']


def test_the_scale_of_a_joint_range_is_half_of_it():
    it = replace(contract(), action_mode='joint_range')
    np.testing.assert_allclose(fields.scale(it), 1.5)


@pytest.mark.parametrize('robot', ['humanoid', 'unitree_g1', 'unitree_h1'])
def test_every_motor_gets_the_gains_of_its_joint(robot):
    it = make_contract(robot)
    told = fields.deploy_yaml(it)
    places = told['joint_ids_map']
    assert len(set(places)) == it.num_actions
    np.testing.assert_array_equal(np.array(told['stiffness'])[places], it.values('kp'))
    np.testing.assert_array_equal(np.array(told['damping'])[places], it.values('kd'))
    assert told['default_joint_pos'] == it.values('default').tolist()


def test_the_h1_has_its_motors_in_the_order_of_its_sdk():
    it = make_contract('unitree_h1')
    told = fields.deploy_yaml(it)
    place = dict(zip(it.joint_names, told['joint_ids_map']))
    assert [place[name] for name in ('right_hip_roll_joint', 'torso_joint', 'left_ankle_joint',
                                     'left_elbow_joint')] == [0, 6, 10, 19]
    assert len(told['stiffness']) == 20 and told['stiffness'][9] == 0.0


def test_an_h1_with_a_joint_of_its_own_has_its_motors_in_the_order_of_the_contract():
    it = replace(contract(), robot='unitree_h1')
    assert fields.deploy_yaml(it)['joint_ids_map'] == [0, 1, 2, 3]


def test_deploy_yaml_names_the_joints_that_actions_move():
    it = contract(commanded=('j3', 'j1'))
    told = fields.deploy_yaml(it)
    action = told['actions']['JointPositionAction']
    assert (action['joint_names'], action['joint_ids']) == (['j3', 'j1'], [3, 1])
    assert action['offset'] == pytest.approx([0.3, 0.1]) and action['scale'] == [0.25, 0.25]
    sizes = {name: len(term['scale']) for name, term in told['observations'].items()}
    assert (sizes['joint_pos_rel'], sizes['last_action']) == (4, 2)
    assert fields.metadata(it, '')['commanded_joints'] == 'j3,j1'
