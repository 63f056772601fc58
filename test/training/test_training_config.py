# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training config: every file loads, every mistake is named, sizes follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny import FILE, ROBOT, config, mapping
import yaml

from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError, LocomotionError, UnknownNameError
from humanoid_locomotion.core.reading.config import from_mapping, to_mapping
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.config_file import load_config, read_config

SHIPPED = sorted(FILE.parent.glob('*.yaml'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_describes_a_training(path):
    loaded = load_config(path)
    robot = load_robot(loaded.robot)
    for settings in (loaded, loaded.deployed()):
        assert Controller(settings.contract(robot)).builder.size > 0
    assert from_mapping(TrainingConfig, to_mapping(loaded), path) == loaded


def changed(at: str, change) -> dict:
    """Give the shipped config with ``change`` done to the mapping at a dotted path."""
    data = to_mapping(load_config(FILE))
    part = data
    for key in filter(None, at.split('.')):
        part = part[key]
    change(part)
    return data


@pytest.mark.parametrize('at, change, message', [
    ('ppo', lambda d: d.update(gama=1.0), r"ppo: unknown keys \['gama'\]"),
    ('', lambda d: d.update(extra={}), r"unknown keys \['extra'\]"),
    ('commands.limits', lambda d: d.pop('lin_vel_y'),
     r"commands\.limits: missing keys \['lin_vel_y'\]"),
    ('ppo', lambda d: d.update(epochs='five'), r"ppo\.epochs: expected int, found str 'five'"),
    ('ppo', lambda d: d.update(learning_rate='1e-3'),
     r'ppo\.learning_rate: .*with a decimal point'),
    ('ppo', lambda d: d.update(symmetry=1), r'ppo\.symmetry: expected bool, found int 1'),
    ('randomization', lambda d: d.update(friction=[0.5]),
     r'randomization\.friction: expected 2 values, found 1'),
    ('action', lambda d: d.update(max_delay=-1), 'action: max_delay must be 0 or more, found -1'),
    ('action', lambda d: d.update(mode='torque'), "action: mode: .*found 'torque'"),
    ('commands.limits', lambda d: d.update(ang_vel_z=[0.1, 1.0]),
     r'commands\.limits: ang_vel_z: the range must contain 0'),
    ('run', lambda d: d.update(num_envs=0), 'run: num_envs must be 1 to 65,536, found 0'),
    ('run', lambda d: d.update(checkpoint_every=0), 'run: checkpoint_every must be 1 to'),
    ('run', lambda d: d.update(iterations=0), 'run: iterations must be 1 to .*, found 0'),
    ('run', lambda d: d.update(num_envs=10 ** 400), 'run: num_envs must be 1 to 65,536'),
    ('ppo', lambda d: d.update(gamma=-1.0), 'ppo: gamma must be above 0 and at most 1'),
    ('ppo', lambda d: d.update(lam=1.5), 'ppo: lam must be above 0 and at most 1, found 1.5'),
    ('ppo', lambda d: d.update(clip=0.0), 'ppo: clip must be above 0, found 0.0'),
    ('ppo', lambda d: d.update(value_loss=-0.1), 'ppo: value_loss must be 0 or more'),
    ('ppo', lambda d: d.update(entropy=[0.1, -0.1]), 'ppo: entropy must be 0 or more'),
    ('ppo', lambda d: d.update(hidden_sizes=[64, -1]), 'ppo: hidden_sizes must be 1 to .* each'),
    ('', lambda d: d['noise'].update(orientation=float('nan')),
     r'noise\.orientation: expected a finite number'),
    ('', lambda d: d['ppo'].update(entropy=[0.0, float('inf')]), r'ppo\.entropy\.1: expected'),
    ('ppo', lambda d: d.update(minibatches=0), 'ppo: minibatches must be 1 to .*, found 0'),
])
def test_a_mistake_is_refused_with_file_and_dotted_key(at, change, message):
    with pytest.raises(ConfigError, match=message) as caught:
        from_mapping(TrainingConfig, changed(at, change), FILE)
    assert str(caught.value).startswith(f'{FILE}: ')


def test_a_rollout_too_small_for_its_minibatches_is_refused():
    with pytest.raises(ConfigError, match='2 robots x 3 steps do not fill 7 minibatches'):
        config('run.num_envs=2', 'ppo.rollout_steps=3', 'ppo.minibatches=7')


def test_an_unknown_layout_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match=r"layout 'full'.*there is: full_state, propriocep"):
        config('observation.layout=full').contract(ROBOT)


def test_an_observation_of_some_joints():
    chosen = ['right_knee', 'left_knee']
    contract = config(f'observation.joints={chosen}').contract(ROBOT)
    assert contract.observed_joints == chosen and contract.num_actions == 23
    assert Controller(contract).builder.size == 3 + 3 + 3 + 2 + 2 * 2 + 23


@pytest.mark.parametrize('joints, message', [
    ('[tail]', r"observation.joints: missing joints \['tail'\]; it has \['left_hip_yaw'"),
    ('[left_knee, left_knee]', r"joints must be different names, found \['left_knee', 'left_kn"),
    ('[]', r'joints must be different names, found \[\]')])
def test_joints_to_observe_that_do_not_fit_are_refused(joints, message):
    with pytest.raises(ValueError, match=message):
        config(f'observation.joints={joints}').contract(ROBOT)


def test_the_humanoids_observation_is_counted_from_its_joints():
    contract = config().contract(ROBOT)
    # turning rate 3, gravity 3, command 3, clock 2; positions, velocities, last action: 23 each
    assert contract.num_actions == ROBOT.num_joints == 23
    assert Controller(contract).builder.size == 3 + 3 + 3 + 2 + 3 * 23 == 80


def test_the_contract_is_the_configs_and_the_robots():
    settings = config('observation.history=3', 'action.scale=0.5')
    contract = settings.contract(ROBOT)
    assert contract.control_period == pytest.approx(0.005 * 4)
    assert contract.joint_names == ROBOT.joint_names
    assert contract.model_hash == ROBOT.model_hash
    assert contract.command_limits == settings.commands.limits
    assert contract.gait == settings.gait
    assert Controller(contract).builder.size == 3 * 80
    knee = contract.joints[ROBOT.joint_names.index('left_knee')]
    assert knee.action_scale == pytest.approx(0.5 * 150.0 / 202.129)  # share of effort / kp


def test_a_clock_in_the_layout_needs_a_gait_in_the_config():
    contract = from_mapping(
        TrainingConfig, {**mapping(), 'gait': None}, FILE).contract(ROBOT)
    with pytest.raises(LocomotionError, match='gait_clock needs a contract with a gait'):
        Controller(contract)


def deployed_with(stride, **changes):
    deployment = {'gait': stride}
    return from_mapping(
        TrainingConfig, {**mapping(), **changes, 'deployment': deployment}, FILE)


def test_deployment_changes_what_it_names_and_training_stays_as_it_was():
    settings = deployed_with({'period': 0.9, 'moving_threshold': 0.05})
    assert settings.contract(ROBOT) == config().contract(ROBOT)
    assert settings.deployed().contract(ROBOT) == replace(
        config().contract(ROBOT), gait=GaitSpec(0.9, 0.05))
    for unchanged in (deployed_with(None), config()):
        assert unchanged.deployed() == config()


def test_a_stride_to_deploy_needs_a_clock_in_training():
    with pytest.raises(ConfigError, match=r'deployment\.gait: expected null, since gait is null'):
        deployed_with({'period': 0.9, 'moving_threshold': 0.05}, gait=None)


@pytest.mark.parametrize('assignment, message', [
    ('randomization.friction=[1.2, 0.4]', r'friction: 1.2 is above 0.4'),
    ('randomization.link_payload={hand: [2, 1]}', r'link_payload.hand must be 0 or more, lowest'),
    ('randomization.feedback_scale=[-1, 1]', r'feedback_scale must be 0 or more'),
    ('randomization.feedback_absent=1.5', r'feedback_absent must be within 0 and 1'),
    ('commands.rest_share=-0.1', r'rest_share must be within 0 and 1'),
    ('ppo.velocity_loss=-1', r'velocity_loss must be 0 or more'),
    ('ppo.smoothness_loss=-1', r'smoothness_loss must be 0 or more'),
    ('commands.resample_period=[8, 3]', r'resample_period: 8.0 is above 3.0'),
    ('commands.standing_share=0.8', 'add up to at most 1'),
    ('commands.straight_share=-0.1', 'must be 0 or more')])
def test_ranges_and_shares_that_make_no_sense_are_refused(assignment, message):
    with pytest.raises(ConfigError, match=message):
        config(assignment)


# Defaults, bases and single changes.

def test_an_empty_config_is_made_of_defaults_and_the_base_of_all_recipes_is_close_to_it():
    empty, humanoid = read_config({}, 'test'), load_config(FILE)
    assert empty.ppo == humanoid.ppo and empty.noise == humanoid.noise
    assert empty.deployment is None and empty.rewards.weights == {}


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a config file."""
    def write(name: str, **data: object):
        path = tmp_path / f'{name}.yaml'
        path.write_text(yaml.safe_dump(data))
        return path

    return write


def test_a_file_with_a_base_holds_only_what_differs(write):
    write('below', base='humanoid', run={'num_envs': 7})
    changes = {'track_yaw_rate': 3, 'alive': None,
               'pose': {'joint_weights': {'torso': None, 'waist': 4.0}}}
    path = write('above', base='below.yaml', gait=None, deployment=None,
                 ppo={'hidden_sizes': [8]}, rewards={'weights': changes})
    got, base = load_config(path), load_config(FILE)
    assert (got.run.num_envs, got.run.iterations) == (7, base.run.iterations)
    assert got.gait is None and got.ppo == replace(base.ppo, hidden_sizes=(8,))
    weights, before = got.rewards.weights, base.rewards.weights
    assert set(before) - set(weights) == {'alive'}
    assert weights['track_yaw_rate'] == replace(before['track_yaw_rate'], weight=3.0)
    joints = dict(before['pose'].parameters['joint_weights'])
    assert joints.pop('torso') and weights['pose'].parameters['joint_weights'] == {
        **joints, 'waist': 4.0}


@pytest.mark.parametrize('data, message', [
    ({'base': 'humanoyd'}, r"base: there is no .*expected .* or one of \['any_robot', 'course',"),
    ({'base': 'nowhere.yaml'}, 'base: there is no .*nowhere.yaml; expected a path'),
    ({'base': 3}, 'base: expected a name or a path, found 3'),
    ({'base': 'made.yaml'}, "base: 'made.yaml' is based on this file"),
    ({'base': 'humanoid', 'ppo': {'gama': 1.0}}, r"ppo: unknown keys \['gama'\]"),
    ({'base': 'humanoid', 'rewards': {'weights': {'alife': None}}},
     r"rewards\.weights\.alife: null removes what the base has, and the base has only \['action_"),
    ({'base': 'humanoid', 'rewards': {'creep_limit': 0.1}},
     r'rewards\.creep_limit: is a key of an earlier format.*; write .*\.stand_foot_drift'),
    ({'base': 'humanoid', 'rewards': {'weights': {'odd_standing': -1}}},
     r'rewards\.weights\.odd_standing: .*; write rewards\.weights\.stand_pose'),
    ({'base': 'humanoid', 'randomization': {'led_arms': {}}},
     r'randomization\.led_arms: .*; write randomization\.external_arm_motion')])
def test_a_base_that_does_not_fit_is_refused(write, data, message):
    path = write('made', **data)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(path)
    assert str(caught.value).startswith(f'{path}: ')


@pytest.mark.parametrize('assignment, read, expected', [
    ('rewards.weights.alive=1.5', lambda c: c.rewards.weights['alive'].weight, 1.5),
    ('rewards.weights.track_yaw_rate.sigma=[0.8,0.2]',
     lambda c: c.rewards.weights['track_yaw_rate'].parameters, {'sigma': (0.8, 0.2)}),
    ('rewards.weights.track_yaw_rate=5',
     lambda c: c.rewards.weights['track_yaw_rate'].parameters, {'sigma': (0.8, 0.25)}),
    ('rewards.weights.low_feet_speed=-1',
     lambda c: c.rewards.weights['low_feet_speed'].parameters, {'swing_height': 0.08}),
    ('ppo.gamma=0.5', lambda c: c.ppo.gamma, 0.5),
    ('terrain=null', lambda c: c.terrain, None)])
def test_a_single_value_can_be_set_whether_it_is_in_the_file_or_not(assignment, read, expected):
    assert read(load_config(FILE, [assignment])) == expected


@pytest.mark.parametrize('assignment, message', [
    ('ppo.gama=1', "--set: ppo.gama: unknown key 'gama'"),
    ('rewards.weights.enrgy=1', r'rewards\.weights\.enrgy: unknown reward'),
    ('rewards.weights.alive.sigma=1', "unknown key 'sigma'"),
    ('ppo.gamma', 'expected KEY=VALUE')])
def test_a_value_of_an_unknown_key_cannot_be_set(assignment, message):
    with pytest.raises(ConfigError, match=message):
        load_config(FILE, [assignment])


def test_an_observation_of_ones_own_is_a_list_of_terms():
    terms = '[{name: projected_gravity}, {name: joint_velocities, scale: 0.1}]'
    contract = config(f'observation.terms={terms}', 'observation.layout=mine').contract(ROBOT)
    assert Controller(contract).builder.size == 3 + 23
    assert contract.observation.layout == 'mine'
