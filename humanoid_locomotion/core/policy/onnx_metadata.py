# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Flat ONNX metadata of a policy: one string per key, numbers joined by commas.

mjlab and Isaac Lab's exporters write ``joint_names``, ``joint_stiffness``, ``joint_damping``,
``default_joint_pos``, ``action_scale``, ``observation_names``, ``command_names`` and ``run_path``.
These do not fully describe how to run a policy; the keys added here complete them, so that a
contract can be written to and read from flat keys alone.
"""

from __future__ import annotations

from dataclasses import astuple
import math
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from humanoid_locomotion.core.command import (
    COMMAND_AXES,
    VELOCITY_NAMES,
    CommandSpec,
    GaitSpec,
)
from humanoid_locomotion.core.contract import (
    FORMAT_VERSION,
    JointContract,
    ObservationSpec,
    PolicyContract,
    TermSpec,
)
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.leg_odometry import LegSpec
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.terms import TERMS

# mjlab's names of the observation terms. Its joint positions are relative to the default pose.
TERM_NAMES = {
    **{name: name for name in TERMS},
    'base_lin_vel': 'base_linear_velocity',
    'base_ang_vel': 'base_angular_velocity',
    'velocity_commands': 'velocity_command',
    'command': 'velocity_command',
    'joint_pos': 'joint_positions_from_default',
    'joint_pos_rel': 'joint_positions_from_default',
    'joint_vel': 'joint_velocities',
    'joint_vel_rel': 'joint_velocities',
    'actions': 'previous_action',
    'last_action': 'previous_action',
    'gait_phase': 'gait_clock',
}
# Names of a velocity command that is one command of three numbers.
VELOCITY_COMMANDS = ('twist', 'base_velocity')

JOINT_VALUES = {
    'joint_stiffness': 'kp', 'joint_damping': 'kd', 'default_joint_pos': 'default',
    'action_scale': 'action_scale', 'joint_lower': 'lower', 'joint_upper': 'upper',
    'joint_effort': 'effort'}

# Groups of keys of which all or none must be present.
GAIT = ('gait_period', 'gait_moving_threshold')
YAW_RATE = ('yaw_rate_integral_gain', 'yaw_rate_integral_limit')
LINEAR = ('linear_velocity_loop_gain', 'linear_velocity_loop_limit',
          'linear_velocity_loop_damping', 'linear_velocity_loop_stiffness')
LEGS = ('leg_joint_names', 'leg_joint_axes', 'leg_joint_origins', 'sole_positions')

# Every key, and its expected value.
KEYS = {
    'joint_names': 'the commanded joints, in the order of actions',
    'joint_stiffness': 'kp of each joint [Nm/rad]',
    'joint_damping': 'kd of each joint [Nm s/rad]',
    'default_joint_pos': 'the default pose [rad]',
    'action_scale': 'target change for an action of one [rad], one number or one per joint',
    'joint_lower': 'lowest target of each joint [rad]',
    'joint_upper': 'highest target of each joint [rad]',
    'joint_effort': 'largest torque of each joint [Nm]',
    'action_mode': 'default_offset or joint_range',
    'control_period': 'time between two control steps [s]',
    'observation_names': 'the terms, in order',
    'observation_scales': 'factor on each term, one number or one per term',
    'observation_clips': 'largest magnitude of each term before scaling, inf for none',
    'observation_history': 'number of control steps that are joined, whole frames, oldest first',
    'observation_layout': 'name of the layout, for information',
    'observation_joints': 'the joints whose position and velocity are observed',
    'command_names':
        f'{", ".join(VELOCITY_NAMES)}, then further axes of {", ".join(COMMAND_AXES)} by name; or '
        f'one of {", ".join(VELOCITY_COMMANDS)} for the first three',
    'command_lower': 'lowest command of each axis: forward, left [m/s], turning [rad/s], further',
    'command_upper': 'highest command of each axis, in the same order',
    'command_rest': 'command of each axis at rest; 0 for a velocity',
    'gait_period': 'duration of one stride [s]',
    'gait_moving_threshold': 'norm of a command above which the robot walks; below 0, always',
    'yaw_rate_integral_gain': "change of the turning command for the turning rate's error [1/s]",
    'yaw_rate_integral_limit': 'largest correction of the turning command [rad/s]',
    'linear_velocity_loop_gain':
        'change of the linear command for an error of the velocity that the legs measure [1/s]',
    'linear_velocity_loop_limit': 'largest correction, forward or left [m/s]',
    'linear_velocity_loop_damping': 'share of the base velocity that is fed back while standing',
    'linear_velocity_loop_stiffness':
        'change of the command in standing for the way that the base moved over its feet [1/s]',
    'leg_joint_names': 'the joints from hip to foot, left leg first, the same number in each',
    'leg_joint_axes': 'x, y, z of the axis of each, at zero positions in the base frame',
    'leg_joint_origins': 'x, y, z of a point on each axis, in the base frame [m]',
    'sole_positions': 'x, y, z of the middle of each sole, left first, in the base frame [m]',
    'robot': 'name of the robot',
    'model_hash': 'version of the robot description of the training',
    'run_path': 'origin of the policy',
}


def to_flat(contract: PolicyContract, run_path: str) -> Dict[str, str]:
    """Return the flat keys of a contract, every number in full precision."""
    terms, limits = contract.observation.terms, contract.command_limits
    flat: Dict[str, Sequence[Any]] = {
        'joint_names': contract.joint_names,
        **{key: contract.values(name).tolist() for key, name in JOINT_VALUES.items()},
        'action_mode': [contract.action_mode],
        'control_period': [contract.control_period],
        'observation_names': [term.name for term in terms],
        'observation_scales': [term.scale for term in terms],
        'observation_clips': [float('inf') if term.clip is None else term.clip for term in terms],
        'observation_history': [contract.observation.history],
        'observation_layout': [contract.observation.layout],
        'observation_joints': contract.observed_joints,
        'command_names': limits.names,
        'command_lower': limits.lower,
        'command_upper': limits.upper,
        'robot': [contract.robot],
        'model_hash': [contract.model_hash],
        'run_path': [run_path],
    }
    if limits.further:
        flat['command_rest'] = limits.rest
    if contract.gait is not None:
        flat['gait_period'] = [contract.gait.period]
        flat['gait_moving_threshold'] = [contract.gait.moving_threshold]
    for keys, loop in ((YAW_RATE, contract.yaw_rate_integral),
                       (LINEAR, contract.linear_velocity_loop)):
        if loop is not None:
            flat.update(zip(keys, ([figure] for figure in astuple(loop))))
    if contract.legs is not None:
        flat.update(legs_to_flat(contract.legs))
    return {key: ','.join(repr(value) if isinstance(value, float) else str(value)
                          for value in values) for key, values in flat.items()}


def legs_to_flat(legs: Sequence[LegSpec]) -> Dict[str, Sequence[Any]]:
    """Return the flat keys of two legs."""
    return {'leg_joint_names': [name for leg in legs for name in leg.joints],
            'leg_joint_axes': [it for leg in legs for axis in leg.axes for it in axis],
            'leg_joint_origins': [it for leg in legs for point in leg.origins for it in point],
            'sole_positions': [it for leg in legs for it in leg.sole]}


class FlatMetadata:
    """Flat keys from several sources; the first source that has a key is used.

    Args:
        sources: Pairs of a source's name, for messages, and its keys. A value is a string as in
            ONNX metadata, or a number or a list as in YAML.
    """

    def __init__(self, *sources: Tuple[object, Mapping[str, Any]]):
        self._sources = sources

    def origin(self, key: str) -> str:
        """Return the name of the source that a key is taken from; empty if none has it."""
        return next((str(name) for name, values in self._sources if key in values), '')

    def words(self, key: str) -> List[str]:
        """Return a key's value as text, one word per entry."""
        for _, values in self._sources:
            if key in values:
                value = values[key]
                parts = value.split(',') if isinstance(value, str) else (
                    value if isinstance(value, (list, tuple)) else [value])
                return [str(part).strip() for part in parts if str(part).strip()]
        raise self._missing([key])

    def contract(self) -> PolicyContract:
        """Build the contract from the keys.

        Raises:
            ConfigError: A key is missing or not valid; the message gives the key, its source,
                what was found and what was expected.
        """
        optional = {*GAIT, *YAW_RATE, *LINEAR, *LEGS, 'command_rest', 'observation_joints',
                    'run_path'}
        missing = [key for key in KEYS if not self.origin(key) and key not in optional]
        if missing:
            raise self._missing(missing)
        terms = self._terms()
        self._check_history()
        names = self.joint_names()
        numbers = {name: self._numbers(key, len(names)) for key, name in JOINT_VALUES.items()}
        observed = self.words('observation_joints') if self.origin('observation_joints') else names
        try:
            joints = tuple(
                JointContract(name=joint, **{name: values[i] for name, values in numbers.items()})
                for i, joint in enumerate(names))
            return PolicyContract(
                format_version=FORMAT_VERSION, robot=self._word('robot'),
                model_hash=self._word('model_hash'),
                control_period=self._numbers('control_period', 1)[0],
                action_mode=self._word('action_mode'), joints=joints,
                observation=ObservationSpec(
                    self._word('observation_layout'), terms, self._history(),
                    None if observed == names else tuple(observed)),
                command_limits=self._commands(),
                gait=self._gait(terms),
                yaw_rate_integral=(
                    IntegralSpec(*self._all(YAW_RATE)) if self._any(YAW_RATE) else None),
                linear_velocity_loop=(
                    LinearLoopSpec(*self._all(LINEAR)) if self._any(LINEAR) else None),
                legs=self._legs())
        except ConfigError:
            raise
        except ValueError as error:
            raise ConfigError(' + '.join(str(name) for name, _ in self._sources), '',
                              str(error)) from error

    def joint_names(self) -> List[str]:
        """Return the joint names, without the entity name that mjlab puts before a slash."""
        return [name.rpartition('/')[2] for name in self.words('joint_names')]

    def _word(self, key: str) -> str:
        found = self.words(key)
        if len(found) != 1:
            raise self._error(key, found)
        return found[0]

    def _numbers(self, key: str, size: int) -> List[float]:
        found = self.words(key)
        one_for_all = key in ('action_scale', 'observation_scales', 'observation_clips')
        try:
            numbers = [float(word) for word in found]
        except ValueError as error:
            raise self._error(key, found) from error
        if not all(math.isfinite(it) or (key == 'observation_clips' and it > 0) for it in numbers):
            raise self._error(key, found)
        if len(numbers) == 1 and one_for_all:
            numbers *= size
        if len(numbers) != size:
            raise ConfigError(self.origin(key), key, f'found {len(numbers)} numbers, expected '
                              f'{size}: {KEYS[key]}')
        return numbers

    def _terms(self) -> Tuple[TermSpec, ...]:
        names = self.words('observation_names')
        unknown = [name for name in names if name not in TERM_NAMES]
        if unknown:
            raise ConfigError(
                self.origin('observation_names'), 'observation_names',
                f'found the unknown terms {unknown}; expected {sorted(TERM_NAMES)}')
        scales = self._numbers('observation_scales', len(names))
        clips = self._numbers('observation_clips', len(names))
        return tuple(TermSpec(TERM_NAMES[name], scale, None if clip == float('inf') else clip)
                     for name, scale, clip in zip(names, scales, clips))

    def _commands(self) -> CommandSpec:
        found = self.words('command_names')
        names = list(VELOCITY_NAMES) if (
            len(found) == 1 and found[0] in VELOCITY_COMMANDS) else found
        if any(name not in COMMAND_AXES for name in names):
            raise self._error('command_names', found)
        keys = ['command_lower', 'command_upper']
        if self.origin('command_rest'):
            keys.append('command_rest')
        columns = [self._numbers(key, len(names)) for key in keys]
        spec = CommandSpec.from_config(dict(zip(names, zip(*columns))))
        if list(spec.names) != names:
            raise self._error('command_names', found)
        return spec

    def _check_history(self) -> None:
        """Refuse a history that is joined term by term, which the builder does not support."""
        key = 'observation_history_lengths'
        if self.origin(key) and set(self.words(key)) - {'0', '1'}:
            raise ConfigError(self.origin(key), key, f'found {self.words(key)}, a history of each '
                              'single term; expected 1 for each term: this package joins whole '
                              'frames (observation_history)')

    def _history(self) -> int:
        word = self._word('observation_history')
        if not word.isdigit():
            raise self._error('observation_history', [word])
        return int(word)

    def _gait(self, terms: Tuple[TermSpec, ...]) -> Optional[GaitSpec]:
        if all(term.name != 'gait_clock' for term in terms) and not self._any(GAIT):
            return None
        period, threshold = self._all(GAIT)
        if period <= 0.0:
            raise self._error('gait_period', self.words('gait_period'))
        return GaitSpec(period, threshold)

    def _legs(self) -> Optional[Tuple[LegSpec, ...]]:
        if not self._any((*LINEAR, *LEGS)):
            return None
        names = self.words('leg_joint_names')
        axes, origins = (_vectors(self._numbers(key, 3 * len(names)))
                         for key in ('leg_joint_axes', 'leg_joint_origins'))
        soles, half = _vectors(self._numbers('sole_positions', 6)), len(names) // 2
        return tuple(LegSpec(tuple(names[part]), axes[part], origins[part], sole)
                     for part, sole in zip((slice(half), slice(half, None)), soles))

    def _any(self, keys: Tuple[str, ...]) -> bool:
        return any(self.origin(key) for key in keys)

    def _all(self, keys: Tuple[str, ...]) -> List[float]:
        missing = [key for key in keys if not self.origin(key)]
        if missing:
            raise self._missing(missing)
        return [self._numbers(key, 1)[0] for key in keys]

    def _error(self, key: str, found: List[str]) -> ConfigError:
        return ConfigError(self.origin(key), key, f'found {found}, expected {KEYS[key]}')

    def _missing(self, keys: List[str]) -> ConfigError:
        wanted = '; '.join(f'{key}: {KEYS[key]}' for key in keys)
        return ConfigError(' + '.join(str(name) for name, _ in self._sources), '',
                           f'missing keys {keys}; expected {wanted}')


def _vectors(numbers: List[float]) -> Tuple[Tuple[float, float, float], ...]:
    return tuple(zip(numbers[0::3], numbers[1::3], numbers[2::3]))
