# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Configs and checkpoints of before version 0.2: read whole, or refused by one sentence."""

from __future__ import annotations

import pytest
from tiny import FILE, make_env
import torch
import yaml

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.training.config_file import load_config, read_config
from humanoid_locomotion.training.older_formats import TENSORS, convert_config, convert_tensors

# As a run folder of version 0.1 holds them, shortened to what has changed since.
OLD = yaml.safe_load("""
rewards:
  weights: {track_linear_velocity: 2.0, track_yaw_rate: 2.0, feet_follow_clock: 3.0,
            base_height: -20.0, pose: -1.0, feet_too_close: -5.0, hard_landing: -0.5,
            low_feet_speed: -0.2, restless_standing: -0.3, odd_standing: -2.0,
            creeping_standing: -30.0}
  linear_velocity_sigma: [0.5, 0.2]
  yaw_rate_sigma: [0.8, 0.25]
  base_height: 0.76
  swing_height: 0.07
  swing_sigma: 0.04
  feet_distance: 0.16
  pose_weights: {hip: 1.0, _: 0.5}
  landing_force: 1.15
  landing_force_per_speed: 1.9
  creep_limit: 0.02
  termination: -4.0
randomization:
  led_arms: {share: 0.25, joints: [shoulder], reach: 0.4, period: [0.5, 1.0]}
""")


def test_every_parameter_of_an_earlier_config_reaches_its_term():
    rewards = read_config(OLD, 'old').rewards
    assert rewards.termination == -4.0
    assert {label: (it.weight, dict(it.parameters)) for label, it in rewards.weights.items()} == {
        'track_linear_velocity': (2.0, {'sigma': (0.5, 0.2)}),
        'track_yaw_rate': (2.0, {'sigma': (0.8, 0.25)}),
        'feet_follow_clock': (3.0, {'swing_height': 0.07, 'sigma': 0.04}),
        'base_height': (-20.0, {'height': 0.76}),
        'pose': (-1.0, {'joint_weights': {'hip': 1.0, '_': 0.5}}),
        'feet_too_close': (-5.0, {'distance': 0.16}),
        'hard_landing': (-0.5, {'force': 1.15, 'force_per_speed': 1.9, 'together': False}),
        'low_feet_speed': (-0.2, {'swing_height': 0.07}),
        'stand_joint_velocity': (-0.3, {}),
        'stand_pose': (-2.0, {}),
        'stand_foot_drift': (-30.0, {'limit': 0.02})}
    arms = read_config(OLD, 'old').randomization.external_arm_motion
    assert (arms.share, arms.joints, arms.reach) == (0.25, ('shoulder',), 0.4)


def test_a_key_that_is_younger_than_a_run_has_the_value_that_the_run_had():
    without = {**OLD, 'rewards': {key: value for key, value in OLD['rewards'].items()
                                  if key not in ('landing_force_per_speed', 'creep_limit')}}
    weights = read_config(without, 'old').rewards.weights
    assert weights['hard_landing'].parameters['force_per_speed'] == 0.0
    assert weights['stand_foot_drift'].parameters['limit'] == 0.01


def test_a_config_of_today_stays_as_it_is():
    whole = to_mapping(load_config(FILE))
    assert convert_config(whole, FILE) == whole


@pytest.mark.parametrize('rewards, message', [
    ({'weights': {'odd_standing': -1.0, 'stand_pose': -1.0}},
     r"old: rewards\.weights\.odd_standing: is the earlier name of 'stand_pose', which is there"),
    ({'weights': {'base_height': {'weight': -1.0, 'height': 0.8}}, 'base_height': 0.7},
     r'old: rewards\.base_height: is the earlier place of rewards\.weights\.base_height\.height'),
    ({'weights': {}, 'swing_hight': 0.1}, r"rewards: unknown keys \['swing_hight'\]"),
    ([], 'rewards: expected a mapping, found list')])
def test_a_mixture_is_refused(rewards, message):
    with pytest.raises(ConfigError, match=message):
        read_config({'rewards': rewards}, 'old')


def test_two_names_of_the_arms_are_refused():
    with pytest.raises(ConfigError, match=r'randomization\.led_arms: is the earlier name'):
        read_config({'randomization': {'led_arms': {}, 'external_arm_motion': {}}}, 'old')


def test_the_robots_of_an_earlier_checkpoint_go_on():
    """Its tensors have other names; each has a place in today's environment."""
    today = make_env().carried()
    earlier = {now: then for then, now in TENSORS.items()}
    saved = {earlier.get(name, name): tensor for name, tensor in today.items()}
    assert set(saved) != set(today) and convert_tensors(saved).keys() == today.keys()
    assert all(torch.equal(tensor, today[name])
               for name, tensor in convert_tensors(saved).items())
