# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What changed since a checkpoint is named, and only an option accepts it."""

from __future__ import annotations

import shutil

import pytest
from tiny import ROBOT, config
import yaml

import humanoid_locomotion
from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.training.run import changes

CONTENT = {'backend': 'fake', 'model_hash': ROBOT.model_hash, 'config': to_mapping(config()),
           'robot_facts': changes.robot_facts(ROBOT),
           'package_version': humanoid_locomotion.__version__}


@pytest.fixture
def mine(tmp_path):
    """Give a function that returns the robot with a change to robot.yaml or robot.xml."""
    folder = shutil.copytree(ROBOT.folder, tmp_path / 'mine')

    def changed(file: str, change):
        data = (folder / file).read_text()
        (folder / file).write_text(change(data))
        return load_robot(folder)

    return changed


def differences(robot=ROBOT, backend='fake', *assignments, **content):
    """Give what changed."""
    return changes.differences(
        {**CONTENT, **content}, 'it.pt', config(*assignments), robot, backend)


def test_nothing_changed():
    assert differences() == []


@pytest.mark.parametrize('key, value', zip(changes.FREE, (8, 900, 7)))
def test_some_keys_may_change_freely(key, value):
    assert differences(ROBOT, 'fake', f'{key}={value}') == []


def test_a_key_of_the_config_is_named_with_both_values():
    assert differences(ROBOT, 'fake', 'ppo.desired_kl=0.5', 'ppo.gamma=0.9') == [
        'ppo.desired_kl 0.01, now 0.5', 'ppo.gamma 0.99, now 0.9']


def test_a_reward_that_came_or_went_is_named():
    assert differences(ROBOT, 'fake', 'rewards.weights.energy=-9.0') == [
        'rewards.weights.energy.weight -0.0005, now -9.0']
    assert differences(ROBOT, 'fake', 'rewards.weights.low_feet_speed=-1') == [
        'rewards.weights.low_feet_speed.weight absent, now -1.0',
        'rewards.weights.low_feet_speed.swing_height absent, now 0.08']


def test_a_key_that_an_earlier_checkpoint_lacks_is_no_change_unless_it_is_set():
    whole = to_mapping(config())
    del whole['ppo']['final_std_factor'], whole['randomization']['external_arm_motion']
    assert differences(config=whole) == []


def test_a_joints_gain_is_named_with_both_values(mine):
    def softer(text):
        data = yaml.safe_load(text)
        data['joints'][3]['kp'] = 1.0
        return yaml.safe_dump(data, sort_keys=False)

    robot = mine('robot.yaml', softer)
    joint = ROBOT.joints[3]
    (found,) = differences(robot)
    assert found.endswith(f'mine/robot.yaml: joints.{joint.name}.kp {joint.kp}, now 1.0')


def test_a_model_or_a_comment_that_changed_is_told_apart(mine):
    (found,) = differences(mine('robot.yaml', lambda text: text + '\n# checked\n'))
    assert found.endswith('robot.yaml (its text, none of its figures)')
    found = differences(mine('robot.xml', lambda text: text + '\n'))
    assert [it for it in found if it.endswith('mine/robot.xml')]


def test_of_an_old_checkpoint_the_robots_hash_is_known():
    (found,) = differences(robot_facts={}, model_hash='0' * 16)
    assert found.endswith(f'(model hash {"0" * 16}, now {ROBOT.model_hash})')


def test_simulator_and_version_are_named():
    assert differences(ROBOT, 'mujoco', package_version='0.0.1') == [
        f'version of humanoid_locomotion 0.0.1, now {humanoid_locomotion.__version__}',
        'backend fake, now mujoco']
    assert differences(package_version='') == []  # a checkpoint that does not know it


def test_only_the_option_goes_on():
    with pytest.raises(CheckpointError, match=(
            r'it\.pt: what it was trained with has changed: backend fake, now mujoco; '
            '--accept-changes goes on all the same')):
        changes.check(CONTENT, 'it.pt', config(), ROBOT, 'mujoco', accept=False)
    assert changes.check(CONTENT, 'it.pt', config(), ROBOT, 'mujoco', accept=True) == [
        'backend fake, now mujoco']
    assert changes.check(CONTENT, 'it.pt', config(), ROBOT, 'fake', accept=False) == []
