"""Who is on the way to a new command or back after a kick, and for how long."""

from __future__ import annotations

import pytest
import torch

from humanoid_locomotion.training.env.command_transition import ON_THE_WAY, OnTheWay

DT = 0.02
STEPS = round(ON_THE_WAY / DT)
NOBODY, FIRST = torch.zeros(2, dtype=torch.bool), torch.tensor([True, False])
COMMAND = torch.tensor([[0.5, 0.0, 0.2], [0.5, 0.0, 0.2]])


def settled() -> OnTheWay:
    """Give two robots that follow a command for long."""
    it = OnTheWay(DT, 3, 2, 'cpu')
    for _ in range(STEPS + 1):
        it.step(COMMAND)
    assert it.arrived.all() and it.caught.all() and not it.left.any()
    return it


def test_a_new_command_takes_its_time_and_is_nothing_to_recover_from():
    it, changed = settled(), COMMAND.clone()
    changed[0, 2] = -0.2
    for step in range(STEPS):
        it.step(changed)
        assert it.arrived.tolist() == [False, True] and it.caught.all()
        assert it.left[:, 0].tolist() == [pytest.approx(1.0 - step / STEPS), 0.0]
    it.step(changed)
    assert it.arrived.all()


def test_after_a_kick_there_is_the_same_time_to_recover():
    it = settled()
    it.kick(FIRST)
    assert it.left.tolist() == [[0.0, 1.0], [0.0, 0.0]]
    for _ in range(STEPS):
        assert it.arrived.tolist() == it.caught.tolist() == [False, True]
        it.step(COMMAND)
    assert it.arrived.all() and it.caught.all()


def test_a_second_kick_begins_the_way_anew_and_no_kick_does_nothing():
    it = settled()
    it.kick(FIRST)
    for _ in range(STEPS - 1):
        it.step(COMMAND)
    it.kick(NOBODY)
    it.step(COMMAND)
    assert it.caught.all()
    it.kick(FIRST)
    it.step(COMMAND)
    assert it.caught.tolist() == [False, True]


def test_everybody_starts_on_the_way():
    it = OnTheWay(DT, 3, 2, 'cpu')
    it.step(torch.zeros(2, 3))
    assert not it.arrived.any() and not it.caught.any()
