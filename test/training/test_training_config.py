"""The training config: every file loads, every mistake is named, sizes follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tiny import FILE, ROBOT, config, mapping

from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError, LocomotionError, UnknownNameError
from humanoid_locomotion.core.reading.config import from_mapping, load, read_yaml, to_mapping
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.rewards import REWARDS

SHIPPED = sorted(FILE.parent.glob('*.yaml'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_describes_a_training(path):
    loaded = load(TrainingConfig, path)
    robot = load_robot(loaded.robot)
    for settings in (loaded, loaded.deployed()):
        assert Controller(settings.contract(robot)).builder.size > 0
    assert set(loaded.rewards.weights) <= set(REWARDS)
    assert from_mapping(TrainingConfig, to_mapping(loaded), path) == loaded


def changed(at: str, change) -> dict:
    """Give the shipped config with ``change`` done to the mapping at a dotted path."""
    data = read_yaml(FILE)
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
    ('', lambda d: d.pop('noise'), r"missing keys \['noise'\]"),
    ('ppo', lambda d: d.update(epochs='five'), r"ppo\.epochs: expected int, found str 'five'"),
    ('ppo', lambda d: d.update(learning_rate='1e-3'), r'ppo\.learning_rate: .*write a point'),
    ('ppo', lambda d: d.update(symmetry=1), r'ppo\.symmetry: expected bool, found int 1'),
    ('randomization', lambda d: d.update(friction=[0.5]),
     r'randomization\.friction: expected 2 values, found 1'),
    ('rewards.weights', lambda d: d.update(alive=None), r'rewards\.weights\.alive: expected floa'),
    ('action', lambda d: d.update(max_delay=-1), 'action: max_delay must be 0 or more, found -1'),
    ('action', lambda d: d.update(mode='torque'), "action: mode: .*found 'torque'"),
    ('commands.limits', lambda d: d.update(ang_vel_z=[0.1, 1.0]),
     r'commands\.limits: ang_vel_z: the range must contain 0'),
    ('run', lambda d: d.update(num_envs=0), 'run: num_envs must be 1 to 65,536, found 0'),
    ('run', lambda d: d.update(checkpoint_every=0), 'run: checkpoint_every must be 1 to'),
    ('run', lambda d: d.update(iterations=0), 'run: iterations must be 1 to .*, found 0'),
    ('run', lambda d: d.update(num_envs=10 ** 400), 'run: num_envs must be 1 to 65,536'),
    ('ppo', lambda d: d.update(hidden_sizes=[64, -1]), 'ppo: hidden_sizes must be 1 to .* each'),
    ('', lambda d: d['ppo'].update(gamma=float('nan')), r'ppo\.gamma: expected a finite number'),
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
    deployment = {'gait': stride, 'linear_velocity_loop': None}
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
    ('commands.resample_period=[8, 3]', r'resample_period: 8.0 is above 3.0'),
    ('commands.standing_share=0.8', 'add up to at most 1'),
    ('rewards.landing_force_per_speed=-1.0', 'must be 0 or more, found -1.0'),
    ('rewards.landing_force_per_speed=.nan', 'must be 0 or more, found nan'),
    ('rewards.creep_limit=0.0', 'creep_limit must be above 0, found 0.0'),
    ('rewards.creep_limit=.nan', 'creep_limit must be above 0, found nan'),
    ('commands.straight_share=-0.1', 'must be 0 or more')])
def test_ranges_and_shares_that_make_no_sense_are_refused(assignment, message):
    with pytest.raises(ConfigError, match=message):
        config(assignment)
