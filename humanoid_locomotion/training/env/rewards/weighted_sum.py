# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The weighted sum of the reward terms."""

from __future__ import annotations

from typing import Dict, List, Mapping

import torch

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.training.config import RewardWeight
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.rewards.registry import Block, RewardTerm, registered


class RewardSum:
    """The reward terms of a config, each times its weight and the control period.

    Terms of weight 0 are left out.

    Attributes:
        names: The labels of the terms, in the order of :meth:`terms`.

    Args:
        weights: The terms by label.
        context: Constants of the robots.
        penalty_factor: () factor on all terms of negative weight; read in each step.

    Raises:
        UnknownNameError: A term does not exist.
        ConfigError: A term does not fit the robot, or no term has a weight other than 0.
    """

    def __init__(self, weights: Mapping[str, RewardWeight], context: RewardContext,
                 penalty_factor: torch.Tensor):
        chosen = {label: it for label, it in weights.items() if it.weight != 0.0}
        if not chosen:
            raise ConfigError('rewards', 'weights', 'expected one term or more of a weight other '
                              f'than 0, found {list(weights)}')
        self.names = list(chosen)
        self._terms = [_make(label, it, context) for label, it in chosen.items()]
        period = context.contract.control_period
        self._weights = torch.tensor(
            [it.weight * period for it in chosen.values()], device=penalty_factor.device)
        self._penalty_factor = penalty_factor

    def terms(self, outcome: Outcome) -> torch.Tensor:
        """Return every term times its weight, (num_envs, terms)."""
        values = torch.stack([term.step(outcome) for term in self._terms], -1)
        weights = torch.where(
            self._weights < 0.0, self._weights * self._penalty_factor, self._weights)
        return values * weights

    def reset(self, mask: torch.Tensor) -> None:
        """Reset the memory of all terms for the robots in ``mask`` (num_envs,) bool."""
        for term in self._terms:
            term.reset(mask)

    def state_dict(self) -> Dict[str, torch.Tensor]:
        """Return the memory of all terms, with keys ``label.name``."""
        return {f'{label}.{key}': tensor for label, term in zip(self.names, self._terms)
                for key, tensor in term.state_dict().items()}

    @property
    def critic_mirrors(self) -> List[Block]:
        """The mirror images of :meth:`critic_observation`."""
        return [term.critic_mirror for term in self._terms]

    def critic_observation(self, state: RobotState) -> List[torch.Tensor]:
        """Return the parts of the memories that the critic observes, (num_envs, numbers) each."""
        seen = [term.critic_observation(state) for term in self._terms]
        return [numbers for numbers in seen if numbers is not None]


def _make(label: str, weight: RewardWeight, context: RewardContext) -> RewardTerm:
    try:
        return registered(weight.term or label).make(context, weight.parameters)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError('rewards', f'weights.{label}', str(error)) from error
