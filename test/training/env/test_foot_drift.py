"""The averaged velocity of standing soles: what it sees and what it leaves out."""

from __future__ import annotations

import math

import pytest
from tiny import outcome
import torch

from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.env.foot_drift import Creep

DT = 0.02
STANDING, WALKING = torch.ones(1).bool(), torch.zeros(1).bool()


def soles(x: float, y: float = 0.0, left_force: float = 200.0) -> Truth:
    """Give a robot whose left sole moves at (x, y) while the right one rests."""
    return outcome(sole_velocities=[[[x, y, 0.3], [0.0, 0.0, 0.0]]],
                   sole_forces=[left_force, 200.0]).truth


def test_a_steady_creep_is_seen_whole_after_a_few_seconds():
    it = Creep(DT, 1, 'cpu')
    for _ in range(50):
        velocity = it.step(soles(0.003, -0.004), STANDING)
    share = 1.0 - (1.0 - DT) ** 50  # about 1 - 1/e after a second
    assert velocity[0, 0].tolist() == pytest.approx([0.003 * share, -0.004 * share])
    assert velocity[0, 1].tolist() == [0.0, 0.0]
    for _ in range(450):
        velocity = it.step(soles(0.003, -0.004), STANDING)
    assert float(velocity[0, 0].norm()) == pytest.approx(0.005, rel=1e-3)


def test_shaking_ten_times_as_fast_hardly_shows():
    it = Creep(DT, 1, 'cpu')
    for step in range(500):
        shaking = 0.05 * math.cos(2.0 * math.pi * 5.0 * DT * step)
        velocity = it.step(soles(0.005 + shaking), STANDING)
    assert float(velocity[0, 0, 0]) == pytest.approx(0.005, abs=0.0015)


def test_a_foot_that_lifts_starts_afresh_and_the_other_goes_on():
    it = Creep(DT, 1, 'cpu')
    both = outcome(sole_velocities=[[[0.1, 0.0, 0.0], [0.1, 0.0, 0.0]]]).truth
    for _ in range(50):
        it.step(both, STANDING)
    velocity = it.step(soles(2.0, left_force=0.0), STANDING)
    assert velocity[0, 0].tolist() == [0.0, 0.0] and float(velocity[0, 1, 0]) > 0.05


def test_nobody_who_walks_creeps():
    it = Creep(DT, 1, 'cpu')
    it.step(soles(1.0), STANDING)
    assert torch.count_nonzero(it.step(soles(1.0), WALKING)) == 0


def test_a_reset_forgets_these_robots_even_what_is_no_number():
    it = Creep(DT, 2, 'cpu')
    it.velocity[:] = torch.tensor([float('nan'), 0.02])[:, None, None]
    it.reset(torch.tensor([True, False]))
    assert torch.count_nonzero(it.velocity[0]) == 0
    assert it.velocity[1].tolist() == [[pytest.approx(0.02)] * 2] * 2
