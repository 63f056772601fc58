"""Joint targets that arrive late, as through a robot's bus and driver."""

from __future__ import annotations

import torch


class DelayLine:
    """Holds each robot's targets back by some control steps, as many as are drawn per episode.

    Args:
        max_steps: The most control steps.
        rest: (num_envs, num_joints) Targets before the first.

    Attributes:
        steps: (num_envs,) How late each robot's targets are.
        sent: (max_steps + 1, num_envs, num_joints) The last targets, newest first.
    """

    def __init__(self, max_steps: int, rest: torch.Tensor):
        self.steps = torch.zeros(rest.shape[0], dtype=torch.long, device=rest.device)
        self.sent = rest.repeat(max_steps + 1, 1, 1)

    def reset(self, mask: torch.Tensor, rest: torch.Tensor) -> None:
        """Forget what was sent to the robots in ``mask``, and draw how late they are."""
        count = self.sent.shape[0]
        drawn = (torch.rand(self.steps.shape, device=self.steps.device) * count).long()
        self.steps.copy_(torch.where(mask, drawn, self.steps))
        self.sent.copy_(torch.where(mask[:, None], rest, self.sent))

    def send(self, targets: torch.Tensor) -> torch.Tensor:
        """Send new targets (num_envs, num_joints); return those that arrive now."""
        self.sent.copy_(torch.cat((targets[None], self.sent[:-1])))
        late = self.steps[None, :, None].expand(1, *targets.shape)
        return self.sent.gather(0, late)[0]
