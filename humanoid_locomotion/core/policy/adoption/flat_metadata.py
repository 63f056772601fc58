# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds a contract from flat keys of several sources: options, files, metadata, the robot."""

from __future__ import annotations

from dataclasses import replace
import math
import re
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from humanoid_locomotion.core.command import (
    AT_REST,
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
from humanoid_locomotion.core.observation import ObservationBuilder
from humanoid_locomotion.core.policy.onnx_metadata import (
    CLOCKS,
    GAIT,
    JOINT_VALUES,
    KEYS,
    LEGS,
    LINEAR,
    TERM_NAMES,
    VELOCITY_COMMANDS,
    YAW_RATE,
)
from humanoid_locomotion.core.reading.parsing import parse_yaml, show
from humanoid_locomotion.core.robot_bounds import UNCLIPPED


class FlatMetadata:
    """Flat keys from several sources; the first source that has a key is used.

    Args:
        sources: Pairs of a source's name, for messages, and its keys. A value is a string as in
            ONNX metadata, with commas or as a list of JSON, or a number or a list as in YAML.
    """

    def __init__(self, *sources: Tuple[object, Mapping[str, Any]]):
        self._sources = sources

    def origin(self, key: str) -> str:
        """Return the name of the source that a key is taken from; empty if none has it."""
        return next((str(name) for name, values in self._sources if key in values), '')

    def words(self, key: str) -> List[str]:
        """Return a key's value as text, one word per entry."""
        for name, values in self._sources:
            if key in values:
                return [str(it).strip() for it in _entries(values[key], f'{name}: {key}')]
        raise self._missing([key])

    def contract(self) -> PolicyContract:
        """Build the contract from the keys.

        Raises:
            ConfigError: A key is missing or not valid; the message gives the key, its source,
                what was found and what was expected.
        """
        optional = {*GAIT, *YAW_RATE, *LINEAR, *LEGS, 'command_rest', 'observation_joints',
                    'commanded_joints', 'observation_history_order', 'gait_at_rest',
                    'clip_targets', 'run_path'}
        missing = [key for key in KEYS if not self.origin(key) and key not in optional]
        if missing:
            raise self._missing(missing)
        names = self.joint_names()
        numbers = {name: self._numbers(key, len(names)) for key, name in JOINT_VALUES.items()}
        observed = self.words('observation_joints') if self.origin('observation_joints') else names
        try:
            terms = self._terms()
            history, order = self._history()
            joints = tuple(
                JointContract(name=joint, **{name: values[i] for name, values in numbers.items()})
                for i, joint in enumerate(names))
            contract = PolicyContract(
                format_version=FORMAT_VERSION, robot=self._word('robot'),
                model_hash=self._word('model_hash'),
                control_period=self._numbers('control_period', 1)[0],
                action_mode=self._word('action_mode'), joints=joints,
                observation=ObservationSpec(
                    self._word('observation_layout'), terms, history,
                    None if observed == names else tuple(observed), order),
                command_limits=self._commands(),
                gait=self._gait(terms),
                yaw_rate_integral=(
                    IntegralSpec(*self._all(YAW_RATE)) if self._any(YAW_RATE) else None),
                linear_velocity_loop=(
                    LinearLoopSpec(*self._all(LINEAR)) if self._any(LINEAR) else None),
                legs=self._legs(),
                beyond_robot=None if self._clips_targets() else (UNCLIPPED,),
                commanded=(tuple(self.words('commanded_joints'))
                           if self.origin('commanded_joints') else None))
            return replace(contract, observation=replace(
                contract.observation, terms=self._scaled(contract)))
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
        one_for_all = key in ('action_scale', 'observation_clips')
        numbers = self._floats(key)
        if len(numbers) == 1 and one_for_all:
            numbers *= size
        if len(numbers) != size:
            raise ConfigError(self.origin(key), key, f'found {len(numbers)} numbers, expected '
                              f'{size}: {KEYS[key]}')
        return numbers

    def _floats(self, key: str) -> List[float]:
        found = self.words(key)
        try:
            numbers = [float(word) for word in found]
        except ValueError as error:
            raise self._error(key, found) from error
        if not all(it > 0.0 if key == 'observation_clips' else math.isfinite(it)
                   for it in numbers):
            raise self._error(key, found)
        return numbers

    def _terms(self) -> Tuple[TermSpec, ...]:
        names = self.words('observation_names')
        unknown = [name for name in names if name not in TERM_NAMES]
        if unknown:
            raise ConfigError(
                self.origin('observation_names'), 'observation_names',
                f'found the unknown terms {unknown}; expected {sorted(TERM_NAMES)}')
        clips = self._numbers('observation_clips', len(names))
        return tuple(TermSpec(TERM_NAMES[name], clip=None if clip == float('inf') else clip)
                     for name, clip in zip(names, clips))

    def _scaled(self, contract: PolicyContract) -> Tuple[TermSpec, ...]:
        """Return the terms of a contract with their scales."""
        key, terms = 'observation_scales', contract.observation.terms
        numbers, slices = self._floats(key), ObservationBuilder(contract).slices
        if len(numbers) == 1:
            numbers *= len(terms)
        scales: List[Tuple[float, ...]] = [(number,) for number in numbers]
        if len(numbers) == slices[-1].stop:
            scales = [tuple(numbers[place.start:place.stop]) for place in slices]
        if len(scales) != len(terms):
            raise ConfigError(self.origin(key), key, f'found {len(numbers)} numbers, expected '
                              f'{len(terms)} or {slices[-1].stop}: {KEYS[key]}')
        return tuple(replace(term, scale=scale if len(set(scale)) > 1 else scale[0])
                     for term, scale in zip(terms, scales))

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

    def _history(self) -> Tuple[int, Optional[str]]:
        """Return the number of control steps and their order, as in the contract.

        Isaac Lab's exporters write ``observation_history_lengths``, the history of each term.
        """
        key, order_key = 'observation_history', 'observation_history_order'
        lengths = 'observation_history_lengths'
        each = ({'1' if word == '0' else word for word in self.words(lengths)}
                if self.origin(lengths) else set())
        if len(each) > 1:
            raise ConfigError(self.origin(lengths), lengths, f'found {self.words(lengths)}, '
                              'expected the same history of each term')
        word = min(each) if each else self._word(key)
        if not re.fullmatch('[0-9]{1,4}', word):
            raise ConfigError(self.origin(lengths if each else key), lengths if each else key,
                              f'found {show([word], 200)}, expected {KEYS[key]}')
        if int(word) <= 1:
            return int(word), None
        if not self.origin(order_key):
            if self.origin(lengths):
                return int(word), 'term'
            raise self._missing([order_key])
        order = self._word(order_key)
        if order not in ('frame', 'term'):
            raise self._error(order_key, [order])
        return int(word), None if order == 'frame' else order

    def _clips_targets(self) -> bool:
        key = 'clip_targets'
        word = self._word(key).lower() if self.origin(key) else 'true'
        if word not in ('true', 'false'):
            raise self._error(key, [word])
        return word == 'true'

    def _gait(self, terms: Tuple[TermSpec, ...]) -> Optional[GaitSpec]:
        if not CLOCKS & {term.name for term in terms} and not self._any(GAIT):
            return None
        period, threshold = self._all(GAIT)
        if period <= 0.0:
            raise self._error('gait_period', self.words('gait_period'))
        key = 'gait_at_rest'
        at_rest = self._word(key) if self.origin(key) else None
        if at_rest not in AT_REST:
            raise self._error(key, [str(at_rest)])
        return GaitSpec(period, threshold, at_rest)

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
        return ConfigError(self.origin(key), key, f'found {show(found, 200)}, expected '
                           f'{KEYS[key]}')

    def _missing(self, keys: List[str]) -> ConfigError:
        wanted = '; '.join(f'{key}: {KEYS[key]}' for key in keys)
        return ConfigError(' + '.join(str(name) for name, _ in self._sources), '',
                           f'missing keys {keys}; expected {wanted} (in a YAML file for --fill)')


def _entries(value: Any, source: str) -> Sequence[Any]:
    if isinstance(value, str) and value.lstrip().startswith('['):  # of JSON, or Python's repr
        value = parse_yaml(value.encode('utf-8', 'replace'), source)
    if isinstance(value, str):
        text = value.rstrip(', \n')
        return text.split(',') if text else []
    return value if isinstance(value, (list, tuple)) else [value]


def _vectors(numbers: List[float]) -> Tuple[Tuple[float, float, float], ...]:
    return tuple(zip(numbers[0::3], numbers[1::3], numbers[2::3]))
