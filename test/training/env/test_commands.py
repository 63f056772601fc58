# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Commands: what is drawn, how often, and when."""

from __future__ import annotations

import pytest
from tiny import WITH_HEIGHT, config
import torch

from humanoid_locomotion.training.env.commands import CommandSampler

MANY, THRESHOLD = 40_000, 0.05


def sampler(num_envs: int = 4, threshold: float = THRESHOLD, *assignments: str) -> CommandSampler:
    """Give a sampler at 50 Hz."""
    torch.manual_seed(0)
    return CommandSampler(config(*assignments).commands, 0.02, threshold, num_envs, 'cpu')


def test_draws_fill_the_limits_and_stay_within():
    limits = config().commands.limits
    drawn = sampler().draw(MANY)
    lower, upper = torch.tensor(limits.lower), torch.tensor(limits.upper)
    assert torch.all((drawn >= lower) & (drawn <= upper))
    span = upper - lower
    assert torch.all(drawn.amin(0) < lower + 0.01 * span)
    assert torch.all(drawn.amax(0) > upper - 0.01 * span)


def test_shares_are_as_configured():
    # The threshold would turn slow walks into standing: without it the shares are exact.
    shares = config().commands
    moves = sampler(4, 0.0).draw(MANY) != 0.0
    forward, left, turn = moves.unbind(-1)
    counted = {'standing': ~forward & ~left & ~turn, 'straight': forward & ~left & ~turn,
               'turning': ~forward & ~left & turn, 'all': forward & left & turn}
    assert int(sum(kind.sum() for kind in counted.values())) == MANY
    assert {name: float(kind.float().mean()) for name, kind in counted.items()} == pytest.approx({
        'standing': shares.standing_share, 'straight': shares.straight_share,
        'turning': shares.turning_share,
        'all': 1.0 - shares.standing_share - shares.straight_share - shares.turning_share},
        abs=0.01)


@pytest.mark.parametrize('share, axis', [('straight_share', 0), ('turning_share', 2)])
def test_a_share_of_one_is_always_taken(share, axis):
    others = {'standing_share', 'straight_share', 'turning_share'} - {share}
    zeroed = [f'commands.{name}=0' for name in others]
    drawn = sampler(4, 0.0, f'commands.{share}=1.0', *zeroed).draw(500)
    assert torch.all(drawn[:, axis] != 0.0)
    assert torch.all(drawn[:, [i for i in range(3) if i != axis]] == 0.0)


def test_what_is_too_slow_to_walk_to_becomes_exactly_zero():
    drawn = sampler(4, 0.3).draw(MANY)
    norm = drawn.norm(dim=-1)
    assert torch.all((norm == 0.0) | (norm > 0.3))
    without = sampler(4, 0.0).draw(MANY)  # the same seed: the same draws before the threshold
    kept = without.norm(dim=-1) > 0.3
    assert torch.equal(drawn[kept], without[kept])
    assert torch.all(drawn[~kept] == 0.0)


def test_a_command_is_kept_until_its_time_is_over():
    it = sampler(3)
    nobody = torch.zeros(3, dtype=torch.bool)
    it.command.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.25, 0.0, 0.0]]))
    it.time_left.copy_(torch.tensor([0.05, 10.0, 10.0]))  # the first has two steps and a half
    before = it.command.clone()
    for step in (1, 2, 3):
        it.step(nobody)
        assert torch.equal(it.command[1:], before[1:])
        assert torch.equal(it.command[0], before[0]) == (step < 3)
    low, high = config().commands.resample_period
    assert low <= it.time_left[0] <= high
    assert it.time_left[1:].tolist() == pytest.approx([9.94, 9.94], abs=1e-5)


def test_a_reset_draws_at_once_and_only_for_its_robot():
    it = sampler(3)
    it.command.fill_(7.0)  # outside the limits: no draw gives it
    it.time_left.fill_(10.0)
    it.step(torch.tensor([False, True, False]))
    assert torch.all(it.command[[0, 2]] == 7.0)
    assert torch.all(it.command[1] < 7.0)


def test_slow_commands_are_drawn_on_purpose():
    usual = sampler(4, 0.0, 'commands.slow_share=0.0').draw(MANY)
    drawn = sampler(4, 0.0, 'commands.slow_share=1.0').draw(MANY)  # the same seed
    moving = usual.norm(dim=-1) > 0.0
    ratio = drawn.norm(dim=-1)[moving] / usual.norm(dim=-1)[moving]
    assert 0.1 <= float(ratio.min()) < 0.11 and 0.39 < float(ratio.max()) <= 0.4001
    assert torch.allclose(drawn[moving], usual[moving] * ratio[:, None], atol=1e-6)
    some = sampler(4, 0.0, 'commands.slow_share=0.3').draw(MANY)
    assert float((some != usual).any(-1)[moving].float().mean()) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize('share', [0.0, 0.4, 1.0])
def test_heights_are_at_rest_in_their_share_and_elsewhere_uniform(share):
    it = sampler(4, THRESHOLD, WITH_HEIGHT, f'commands.rest_share={share}')
    height = it.draw(MANY)[:, 3]
    rests = height == 0.88
    assert float(rests.float().mean()) == pytest.approx(share, abs=0.01)
    for low in (0.6, 0.7, 0.8):
        inside = (height[~rests] >= low) & (height[~rests] < low + 0.1)
        assert int(inside.sum()) == pytest.approx(int((~rests).sum()) / 3, rel=0.05)
