"""Which robots are on their way: to a new command, or back to the old one after a kick."""

from __future__ import annotations

from typing import Dict

import torch

ON_THE_WAY = 1.5  # [s] that both may take


class OnTheWay:
    """Counts how long ago each robot was told something new, and was kicked or started afresh.

    What happens on the way is not the policy's habit. Who catches himself may stamp, slide and
    turn aside; were it paid for, a policy with quiet feet could not afford to stay up.

    Args:
        control_period: [s].
        command_size: Number of axes of a command.
        num_envs: How many robots.
        device: Where the tensors are.
    """

    def __init__(self, control_period: float, command_size: int, num_envs: int, device: str):
        self._steps = torch.zeros(num_envs, 2, dtype=torch.long, device=device)
        self._command = torch.zeros(num_envs, command_size, device=device)
        self._all_steps = round(ON_THE_WAY / control_period)

    @property
    def left(self) -> torch.Tensor:
        """(num_envs, 2) share of the way that is left: to a new command, back after a kick."""
        return (1.0 - self._steps / self._all_steps).clamp(min=0.0)

    @property
    def arrived(self) -> torch.Tensor:
        """(num_envs,) bool: neither way is still to be gone."""
        return (self._steps >= self._all_steps).all(-1)

    @property
    def caught(self) -> torch.Tensor:
        """(num_envs,) bool: no kick is to be recovered from."""
        return self._steps[:, 1] >= self._all_steps

    def step(self, command: torch.Tensor) -> None:
        """Take in the ``command`` (num_envs, command_size) of one control step."""
        told = (command != self._command).any(-1)
        self._command.copy_(command)
        self._steps += 1
        self._steps[:, 0].masked_fill_(told, 0)

    def kick(self, mask: torch.Tensor) -> None:
        """Begin the way back of the robots in ``mask``, which were kicked or start afresh."""
        self._steps[:, 1].masked_fill_(mask, 0)

    def carried(self) -> Dict[str, torch.Tensor]:
        """Return what carries over from one step to the next."""
        return {'steps_on_the_way': self._steps, 'followed_command': self._command}
