# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The observation builder, the same code in training and on the robot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core.arrays import (
    Array,
    Constant,
    clip,
    concatenate,
    float32,
    namespace,
    zeros,
)
from humanoid_locomotion.core.contract import PolicyContract, TermSpec
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import TERMS, JointSelection, Moment


@dataclass(frozen=True)
class TermSlice:
    """The columns of a term in one frame of the observation.

    Attributes:
        name: The term.
        start: Its first index.
        stop: The index after its last index.
    """

    name: str
    start: int
    stop: int


class ObservationBuilder:
    """Builds observations, for one robot or for a batch.

    A frame is the contract's terms side by side, each clipped, then scaled. With a history of
    ``h`` the observation is the last ``h`` frames, oldest first; or the last ``h`` values of the
    first term, then of the second, if the contract's ``history_order`` is ``term``. After a reset
    the history is filled with the first frame, so that it contains no jump.

    Args:
        contract: The contract of the policy.
        num_envs: Number of robots (rows).
        like: An array of the kind, and on the device, to work on; NumPy by default.
    """

    def __init__(self, contract: PolicyContract, num_envs: int = 1, like: Array = None):
        for term in contract.observation.terms:
            if term.name not in TERMS:
                raise UnknownNameError('observation term', term.name, TERMS)
        self._joints = JointSelection(contract)
        self.slices = _measure(contract, self._joints)
        self._terms = [(TERMS[term.name], _factor(term, place), term.clip)
                       for term, place in zip(contract.observation.terms, self.slices)]
        self.frame_size = self.slices[-1].stop
        self.history = contract.observation.history
        self._by_term = contract.observation.history_order is not None and self.history > 1
        self._order = Constant(self.columns, np.int64)
        self.size = self.frame_size * self.history
        like = np.zeros(0, np.float32) if like is None else like
        self._frames = zeros((num_envs, self.history, self.frame_size), like)
        self._fresh = zeros((num_envs,), like) == 0.0

    @property
    def columns(self) -> List[int]:
        """For each number of the observation, its column in the frames joined oldest first."""
        if not self._by_term:
            return list(range(self.frame_size * self.history))
        return [step * self.frame_size + column for place in self.slices
                for step in range(self.history) for column in range(place.start, place.stop)]

    def reset(self, mask: Array) -> None:
        """Clear the history of the robots in ``mask`` (num_envs,) bool."""
        self._fresh[...] = self._fresh | mask

    def carried(self) -> Dict[str, Array]:
        """Return the arrays that are carried over from one control step to the next, by name."""
        return {'frames': self._frames, 'fresh': self._fresh}

    def build(self, moment: Moment) -> Array:
        """Return the observation of a control step, (num_envs, size) float32.

        It advances the history, so it is called once per control step.
        """
        frame = self._frame(moment)
        if self.history == 1:
            return frame
        xp = namespace(frame)
        moved = concatenate_steps(self._frames[:, 1:], frame[:, None])
        filled = xp.zeros_like(moved) + frame[:, None]
        self._frames[...] = xp.where(self._fresh[:, None, None], filled, moved)
        self._fresh[...] = xp.zeros_like(self._fresh)
        joined = self._frames.reshape(frame.shape[0], self.size)
        return joined[:, self._order.like(joined)] if self._by_term else joined

    def _frame(self, moment: Moment) -> Array:
        parts: List[Array] = []
        for function, scale, bound in self._terms:
            part = float32(function(moment, self._joints))
            if bound is not None:
                part = clip(part, -bound, bound)
            parts.append(part if scale is None else part * scale.like(part))
        return concatenate(parts)


def concatenate_steps(older: Array, newer: Array) -> Array:
    """Join frames along the time axis, (num_envs, steps, frame)."""
    xp = namespace(older)
    return xp.concatenate((older, newer), 1) if xp is np else xp.cat((older, newer), 1)


def _factor(term: TermSpec, place: TermSlice) -> Optional[Constant]:
    """Return the scale of a term; None for one."""
    size = place.stop - place.start
    if isinstance(term.scale, tuple) and len(term.scale) not in (1, size):
        raise ConfigError('contract', f'observation.terms: {term.name}: scale',
                          f'found {len(term.scale)} numbers, expected one, or {size}: one for '
                          'each number of the term')
    return None if term.scale == 1.0 else Constant(term.scale)


def _measure(contract: PolicyContract, joints: JointSelection) -> Tuple[TermSlice, ...]:
    """Return the columns of each term, from its result for a resting robot."""
    n, m = len(contract.joints), contract.num_actions
    state = RobotState(
        joint_positions=np.zeros((1, n), np.float32),
        joint_velocities=np.zeros((1, n), np.float32),
        base_orientation=np.array([[0, 0, 0, 1]], np.float32),
        base_angular_velocity=np.zeros((1, 3), np.float32),
        base_position=np.zeros((1, 3), np.float32),
        base_linear_velocity=np.zeros((1, 3), np.float32))
    gait = None if contract.gait is None else np.zeros((1, 4), np.float32)
    command = np.zeros((1, contract.command_limits.size), np.float32)
    moment = Moment(state, command, np.zeros((1, m), np.float32), gait)
    slices, start = [], 0
    for term in contract.observation.terms:
        stop = start + TERMS[term.name](moment, joints).shape[1]
        slices.append(TermSlice(term.name, start, stop))
        start = stop
    return tuple(slices)
