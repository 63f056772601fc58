# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion of configs and checkpoints of earlier formats to the current format.

Until version 0.1 the parameters of reward terms were keys of ``rewards`` beside ``weights``, and
some terms had other names.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from humanoid_locomotion.core.errors import ConfigError

TERMS = {
    'restless_standing': 'stand_joint_velocity', 'odd_standing': 'stand_pose',
    'creeping_standing': 'stand_foot_drift', 'drifting_standing': 'stand_base_drift'}
# The earlier key of `rewards`, and the terms and parameters that it set.
PARAMETERS: Dict[str, Tuple[Tuple[str, str], ...]] = {
    'linear_velocity_sigma': (('track_linear_velocity', 'sigma'),),
    'yaw_rate_sigma': (('track_yaw_rate', 'sigma'),),
    'base_height': (('base_height', 'height'),),
    'swing_height': (('feet_follow_clock', 'swing_height'), ('low_feet_speed', 'swing_height')),
    'swing_sigma': (('feet_follow_clock', 'sigma'),),
    'feet_distance': (('feet_too_close', 'distance'),),
    'pose_weights': (('pose', 'joint_weights'),),
    'landing_force': (('hard_landing', 'force'),),
    'landing_force_per_speed': (('hard_landing', 'force_per_speed'),),
    'creep_limit': (('stand_foot_drift', 'limit'), ('stand_base_drift', 'limit'))}
RANDOMIZATION = {'led_arms': 'external_arm_motion'}
TENSORS = {
    'privileged': 'critic_observation', 'creep': 'foot_drift',
    'following_error': 'tracking_error', 'steps_on_the_way': 'transition_steps',
    'followed_command': 'transition_command'}


def convert_config(data: Mapping[str, Any], source: object) -> Dict[str, Any]:
    """Return a complete training config in the current format.

    Args:
        data: Plain data, of a file without ``base`` or of a checkpoint.
        source: Name of the source, for messages.

    Raises:
        ConfigError: It contains both an earlier key and the key that replaces it.
    """
    result = dict(data)
    if isinstance(data.get('randomization'), Mapping):
        result['randomization'] = _renamed(
            data['randomization'], RANDOMIZATION, source, 'randomization')
    rewards = data.get('rewards')
    if isinstance(rewards, Mapping) and isinstance(rewards.get('weights', {}), Mapping):
        result['rewards'] = _rewards(rewards, source)
    return result


def refuse_earlier_keys(data: Mapping[str, Any], source: object) -> None:
    """Refuse the keys of earlier formats in a part of a config, which cannot be converted.

    Raises:
        ConfigError: There is one; the message names the new key.
    """
    rewards, randomization = data.get('rewards'), data.get('randomization')
    weights = rewards.get('weights') if isinstance(rewards, Mapping) else None
    places: Dict[str, str] = {}
    for key in rewards if isinstance(rewards, Mapping) else ():
        if key in PARAMETERS:
            places[f'rewards.{key}'] = ' and '.join(
                f'rewards.weights.{term}.{it}' for term, it in PARAMETERS[key])
    for part, names, at in ((weights, TERMS, 'rewards.weights'),
                            (randomization, RANDOMIZATION, 'randomization')):
        places.update({f'{at}.{key}': f'{at}.{names[key]}' for key in (
            part if isinstance(part, Mapping) else ()) if key in names})
    for key, place in places.items():
        raise ConfigError(source, key, 'is a key of an earlier format, which is only read in a '
                          f'file without base; write {place}')


def convert_tensors(tensors: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the environment tensors of a checkpoint under their current names."""
    return {TENSORS.get(name, name): tensor for name, tensor in tensors.items()}


def _rewards(rewards: Mapping[str, Any], source: object) -> Dict[str, Any]:
    weights = _renamed(rewards.get('weights', {}), TERMS, source, 'rewards.weights')
    for key in [key for key in rewards if key in PARAMETERS]:
        for term, parameter in PARAMETERS[key]:
            if term not in weights:
                continue
            given = weights[term]
            given = dict(given) if isinstance(given, Mapping) else {'weight': given}
            if parameter in given:
                raise ConfigError(source, f'rewards.{key}', 'is the earlier place of '
                                  f'rewards.weights.{term}.{parameter}, which is there, too; '
                                  'expected the latter alone')
            weights[term] = {**given, parameter: rewards[key]}
    return {**{key: value for key, value in rewards.items() if key not in PARAMETERS},
            'weights': weights}


def _renamed(data: Mapping[str, Any], names: Mapping[str, str], source: object,
             at: str) -> Dict[str, Any]:
    twice = [key for key in data if names.get(key) in data]
    if twice:
        raise ConfigError(source, f'{at}.{twice[0]}', 'is the earlier name of '
                          f'{names[twice[0]]!r}, which is there, too; expected the latter alone')
    return {names.get(key, key): value for key, value in data.items()}
