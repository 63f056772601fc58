# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The registry of reward terms and of their parameters.

A reward term is a function of an :class:`Outcome`, or a subclass of :class:`RewardTerm`. Its
parameters are its keyword-only arguments, with types and defaults; the training config sets them::

    @register_reward
    def track_height(outcome: Outcome, *, height: float, sigma: float = 0.1) -> torch.Tensor: ...

    rewards: {weights: {track_height: {weight: 2.0, height: 0.9}}}
"""

from __future__ import annotations

from dataclasses import dataclass
import inspect
from typing import (
    Any,
    Callable,
    Dict,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    get_type_hints,
)

import torch

from humanoid_locomotion.core.errors import ConfigError, LocomotionError, UnknownNameError
from humanoid_locomotion.core.reading.config import read_value
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext

RESERVED = ('weight', 'term')  # keys beside a term's parameters in the config


class Block(NamedTuple):
    """A part of a vector and its mirror image, ``mirrored[i] = sign[i] * numbers[source[i]]``.

    Attributes:
        source: Index within the block from which each mirrored number is taken.
        sign: Factor on each mirrored number.
    """

    source: Sequence[int]
    sign: Sequence[float]


class RewardTerm:
    """Base class of reward terms that need constants of the robots or have a memory.

    The constructor takes a :class:`RewardContext` and the keyword-only parameters of the term. The
    memory consists of tensors of fixed shape that the term updates in place and returns from
    :meth:`state_dict`; CUDA graphs and checkpoints require both.

    Attributes:
        critic_mirror: The numbers of :meth:`critic_observation` and their mirror images.
    """

    critic_mirror: Block = Block((), ())

    def step(self, outcome: Outcome) -> torch.Tensor:
        """Return the value of the term, (num_envs,); called once per control step."""
        raise NotImplementedError

    def reset(self, mask: torch.Tensor) -> None:
        """Reset the memory of the robots in ``mask`` (num_envs,) bool."""

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the tensors that carry over from one control step to the next, by name."""
        return {}

    def critic_observation(self, state: RobotState) -> Optional[torch.Tensor]:
        """Return the part of the memory that the critic observes, (num_envs, numbers), or None."""
        return None


class _Function(RewardTerm):
    """A reward term without memory, made from a function."""

    def __init__(self, function: Callable[..., torch.Tensor], parameters: Mapping[str, Any]):
        self._function, self._parameters = function, parameters

    def step(self, outcome: Outcome) -> torch.Tensor:
        """See the base class."""
        return self._function(outcome, **self._parameters)


@dataclass(frozen=True)
class RegisteredReward:
    """An entry of :data:`REWARDS`.

    Attributes:
        name: The term's name in the config.
        made_of: The function or the subclass of :class:`RewardTerm`.
        hints: Type of each parameter.
        defaults: Default of each parameter that has one.
        above_zero: Parameters that must be above 0; for lists, every entry.
        not_negative: Parameters that must be 0 or more.
    """

    name: str
    made_of: Callable[..., Any]
    hints: Mapping[str, Any]
    defaults: Mapping[str, Any]
    above_zero: Tuple[str, ...]
    not_negative: Tuple[str, ...]

    def read(self, given: Mapping[str, Any], source: object, at: str) -> Dict[str, Any]:
        """Return all parameters of the term: those of a config, and defaults for the others.

        Args:
            given: Parameters by name, plain data.
            source: The file that contains them, for messages.
            at: The dotted key of the term in it.

        Raises:
            ConfigError: A parameter is unknown, missing, of another type or out of bounds.
        """
        unknown = [key for key in given if key not in self.hints]
        missing = [key for key in self.hints if key not in given and key not in self.defaults]
        if unknown or missing:
            found = [f'unknown keys {unknown}'] * bool(unknown)
            found += [f'missing keys {missing}'] * bool(missing)
            raise ConfigError(source, at, f'{", ".join(found)}; the reward {self.name!r} has the '
                              f'keys {[*RESERVED, *self.hints]}')
        values = {key: read_value(hint, given[key], source, f'{at}.{key}')
                  if key in given else self.defaults[key] for key, hint in self.hints.items()}
        for keys, fits, bound in (
                (self.above_zero, lambda number: number > 0.0, 'above 0'),
                (self.not_negative, lambda number: number >= 0.0, '0 or more')):
            for key in keys:
                numbers = values[key] if isinstance(values[key], tuple) else (values[key],)
                if not all(fits(number) for number in numbers):
                    raise ConfigError(source, f'{at}.{key}',
                                      f'must be {bound}, found {values[key]}')
        return values

    def make(self, context: RewardContext, parameters: Mapping[str, Any]) -> RewardTerm:
        """Return the term with its parameters, as :meth:`read` returned them."""
        is_class = inspect.isclass(self.made_of)
        made: RewardTerm = (self.made_of(context, **parameters) if is_class
                            else _Function(self.made_of, parameters))
        return made


REWARDS: Dict[str, RegisteredReward] = {}


def register_reward(term: Optional[Callable[..., Any]] = None, *, name: str = '',
                    above_zero: Sequence[str] = (), not_negative: Sequence[str] = ()) -> Any:
    """Register a reward term, so that a training config can name it; a decorator.

    Args:
        term: ``f(outcome, *, parameter=default, ...)`` that returns (num_envs,), or a subclass of
            :class:`RewardTerm`. The value increases with the quantity in the term's name; a
            negative weight in the config makes it a penalty.
        name: The name in the config; that of the function or class by default.
        above_zero: Parameters that must be above 0; for lists, every entry.
        not_negative: Parameters that must be 0 or more.

    Raises:
        LocomotionError: The name is taken, or a parameter has no type or a reserved name.
    """
    def register(made_of: Callable[..., Any]) -> Callable[..., Any]:
        called = name or made_of.__name__
        if called in REWARDS:
            raise LocomotionError(f'the reward {called!r} is registered already, by '
                                  f'{REWARDS[called].made_of.__module__}; expected another name')
        takes = made_of.__init__ if inspect.isclass(made_of) else made_of  # type: ignore[misc]
        parameters = {key: it for key, it in inspect.signature(takes).parameters.items()
                      if it.kind is it.KEYWORD_ONLY}
        hints = get_type_hints(takes)
        wrong = [key for key in parameters if key not in hints or key in RESERVED]
        if wrong:
            raise LocomotionError(f'the reward {called!r} has the parameters {wrong}; expected a '
                                  f'type for each and other names than {list(RESERVED)}')
        REWARDS[called] = RegisteredReward(
            called, made_of, {key: hints[key] for key in parameters},
            {key: it.default for key, it in parameters.items() if it.default is not it.empty},
            tuple(above_zero), tuple(not_negative))
        return made_of

    return register if term is None else register(term)


def registered(name: str) -> RegisteredReward:
    """Return a reward term by its name.

    Raises:
        UnknownNameError: The term does not exist; the message lists the existing ones.
    """
    if name not in REWARDS:
        raise UnknownNameError('reward', name, REWARDS)
    return REWARDS[name]
