"""Late targets: each robot follows what was sent as many steps ago as it is late."""

from __future__ import annotations

import torch

from humanoid_locomotion.training.env.randomization import DelayLine

EVERYONE = torch.ones(3, dtype=torch.bool)


def line(*steps: int) -> DelayLine:
    """Give three robots that are late by so many steps."""
    it = DelayLine(2, torch.zeros(3, 1))
    it.steps.copy_(torch.tensor(steps))
    return it


def test_targets_arrive_as_late_as_the_robot_is():
    it = line(0, 1, 2)
    arrived = [it.send(torch.full((3, 1), float(t))).flatten().tolist() for t in (1, 2, 3, 4)]
    assert arrived == [[1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]]


def test_a_reset_robot_rests_until_its_first_targets_arrive():
    it = line(2, 2, 2)
    for t in (1, 2, 3):
        it.send(torch.full((3, 1), float(t)))
    it.reset(torch.tensor([False, True, False]), torch.full((3, 1), 9.0))
    it.steps.fill_(2)
    assert it.send(torch.full((3, 1), 4.0)).flatten().tolist() == [2, 9, 2]
    assert it.send(torch.full((3, 1), 5.0)).flatten().tolist() == [3, 9, 3]
    assert it.send(torch.full((3, 1), 6.0)).flatten().tolist() == [4, 4, 4]


def test_every_delay_is_drawn_as_often_and_only_for_who_is_reset():
    torch.manual_seed(0)
    it = DelayLine(2, torch.zeros(30_000, 1))
    it.reset(torch.arange(30_000) >= 15_000, torch.zeros(30_000, 1))
    assert torch.all(it.steps[:15_000] == 0)
    shares = it.steps[15_000:].bincount() / 15_000
    assert torch.allclose(shares, torch.full((3,), 1 / 3), atol=0.02)


def test_without_a_delay_targets_pass_through():
    it = DelayLine(0, torch.zeros(3, 2))
    it.reset(EVERYONE, torch.zeros(3, 2))
    targets = torch.randn(3, 2)
    assert torch.equal(it.send(targets), targets)
