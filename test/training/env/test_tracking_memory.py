# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The averages that rewards remember: what counts, what does not, and when they are forgotten."""

from __future__ import annotations

import math

import pytest
from tiny import outcome
import torch

from humanoid_locomotion.sim.backend import Truth
from humanoid_locomotion.training.env.tracking_memory import (
    TRANSITION_TIME,
    CommandTransition,
    FootDrift,
    TrackingError,
    TrackingMemory,
    velocity_in_heading,
)

DT = 0.02
# Transitions.

STEPS = round(TRANSITION_TIME / DT)
NOBODY, FIRST = torch.zeros(2, dtype=torch.bool), torch.tensor([True, False])
COMMAND = torch.tensor([[0.5, 0.0, 0.2], [0.5, 0.0, 0.2]])


def settled() -> CommandTransition:
    """Give two robots whose command is old."""
    it = CommandTransition(DT, 3, 2, 'cpu')
    for _ in range(STEPS + 1):
        it.step(COMMAND)
    assert it.is_over.all() and it.has_recovered.all() and not it.remaining.any()
    return it


def test_a_new_command_begins_a_transition_and_needs_no_recovery():
    it, changed = settled(), COMMAND.clone()
    changed[0, 2] = -0.2
    for step in range(STEPS):
        it.step(changed)
        assert it.is_over.tolist() == [False, True] and it.has_recovered.all()
        assert it.remaining[:, 0].tolist() == [pytest.approx(1.0 - step / STEPS), 0.0]
    it.step(changed)
    assert it.is_over.all()


def test_after_a_kick_there_is_the_same_time_to_recover():
    it = settled()
    it.kick(FIRST)
    assert it.remaining.tolist() == [[0.0, 1.0], [0.0, 0.0]]
    for _ in range(STEPS):
        assert it.is_over.tolist() == it.has_recovered.tolist() == [False, True]
        it.step(COMMAND)
    assert it.is_over.all() and it.has_recovered.all()


def test_a_second_kick_restarts_the_time_and_no_kick_does_nothing():
    it = settled()
    it.kick(FIRST)
    for _ in range(STEPS - 1):
        it.step(COMMAND)
    it.kick(NOBODY)
    it.step(COMMAND)
    assert it.has_recovered.all()
    it.kick(FIRST)
    it.step(COMMAND)
    assert it.has_recovered.tolist() == [False, True]


def test_every_robot_starts_in_a_transition():
    it = CommandTransition(DT, 3, 2, 'cpu')
    it.step(torch.zeros(2, 3))
    assert not it.is_over.any() and not it.has_recovered.any()


# The tracking error.

FORWARD = torch.tensor([[0.5, 0.0, 0.2]])
COUNTS = torch.tensor([True])


def test_a_steady_error_is_seen_whole_after_a_few_seconds():
    it = TrackingError(DT, 1, 'cpu')
    for _ in range(51):
        error = it.step(FORWARD, torch.tensor([[0.4, 0.03, 0.25]]), COUNTS)
    share = 1.0 - (1.0 - DT) ** 51
    assert error[0].tolist() == pytest.approx([0.1 * share, -0.03 * share, -0.05 * share])


def test_sway_ten_times_as_large_hardly_shows():
    it = TrackingError(DT, 1, 'cpu')
    for step in range(500):
        sway = 0.3 * math.cos(2.0 * math.pi * 2.5 * DT * step)
        error = it.step(FORWARD, FORWARD - torch.tensor([[0.03, sway, 0.0]]), COUNTS)
    assert error[0].tolist() == pytest.approx([0.03, 0.0, 0.0], abs=0.02)


def test_a_transition_is_no_error_and_leaves_none_behind():
    it = TrackingError(DT, 2, 'cpu')
    commands, still = FORWARD.repeat(2, 1), torch.zeros(2, 3)
    for _ in range(100):
        it.step(commands, still, torch.tensor([True, True]))
    error = it.step(commands, still, torch.tensor([False, True]))
    assert error[0].tolist() == [0.0, 0.0, 0.0] and float(error[1, 0]) > 0.1
    assert float(it.step(commands, still, torch.tensor([True, True]))[0, 0]) == (
        pytest.approx(0.5 * DT))


def test_a_reset_forgets_the_error_of_these_robots_even_what_is_no_number():
    it = TrackingError(DT, 2, 'cpu')
    it.error[:] = torch.tensor([float('nan'), 0.02])[:, None]
    it.reset(torch.tensor([True, False]))
    assert it.error[0].tolist() == [0.0] * 3 and it.error[1].tolist() == [pytest.approx(0.02)] * 3


def test_the_velocity_is_in_the_heading_frame_whatever_the_tilt():
    half, tilt = math.sqrt(0.5), 0.1
    turned = outcome(base_orientation=[[0.0, 0.0, half, half]],
                     base_linear_velocity=[[0.7, 0.1, 0.0]],
                     base_angular_velocity=[[0.0, 0.0, 0.3]])
    velocity = velocity_in_heading(turned.state, turned.truth)
    assert velocity[0].tolist() == pytest.approx([0.7, 0.1, 0.3])
    pitched = outcome(
        base_orientation=[[0.0, math.sin(tilt / 2), 0.0, math.cos(tilt / 2)]],
        base_linear_velocity=[[math.cos(tilt), 0.0, math.sin(tilt)]],  # 1 m/s along the ground
        base_angular_velocity=[[-0.3 * math.sin(tilt), 0.0, 0.3 * math.cos(tilt)]])
    velocity = velocity_in_heading(pitched.state, pitched.truth)
    assert velocity[0].tolist() == pytest.approx([1.0, 0.0, 0.3], abs=1e-5)


# The foot drift.

STANDING, WALKING = torch.ones(1).bool(), torch.zeros(1).bool()


def soles(x: float, y: float = 0.0, left_force: float = 200.0) -> Truth:
    """Give a robot whose left sole moves at (x, y) while the right one rests."""
    return outcome(sole_velocities=[[[x, y, 0.3], [0.0, 0.0, 0.0]]],
                   sole_forces=[left_force, 200.0]).truth


def test_a_steady_drift_is_seen_whole_after_a_few_seconds():
    it = FootDrift(DT, 1, 'cpu')
    for _ in range(50):
        velocity = it.step(soles(0.003, -0.004), STANDING)
    share = 1.0 - (1.0 - DT) ** 50  # about 1 - 1/e after a second
    assert velocity[0, 0].tolist() == pytest.approx([0.003 * share, -0.004 * share])
    assert velocity[0, 1].tolist() == [0.0, 0.0]
    for _ in range(450):
        velocity = it.step(soles(0.003, -0.004), STANDING)
    assert float(velocity[0, 0].norm()) == pytest.approx(0.005, rel=1e-3)


def test_shaking_ten_times_as_fast_is_averaged_away():
    it = FootDrift(DT, 1, 'cpu')
    for step in range(500):
        shaking = 0.05 * math.cos(2.0 * math.pi * 5.0 * DT * step)
        velocity = it.step(soles(0.005 + shaking), STANDING)
    assert float(velocity[0, 0, 0]) == pytest.approx(0.005, abs=0.0015)


def test_a_foot_that_lifts_starts_from_zero_and_the_other_goes_on():
    it = FootDrift(DT, 1, 'cpu')
    both = outcome(sole_velocities=[[[0.1, 0.0, 0.0], [0.1, 0.0, 0.0]]]).truth
    for _ in range(50):
        it.step(both, STANDING)
    velocity = it.step(soles(2.0, left_force=0.0), STANDING)
    assert velocity[0, 0].tolist() == [0.0, 0.0] and float(velocity[0, 1, 0]) > 0.05


def test_a_walking_robot_has_no_foot_drift():
    it = FootDrift(DT, 1, 'cpu')
    it.step(soles(1.0), STANDING)
    assert torch.count_nonzero(it.step(soles(1.0), WALKING)) == 0


def test_a_reset_forgets_the_drift_of_these_robots_even_what_is_no_number():
    it = FootDrift(DT, 2, 'cpu')
    it.velocity[:] = torch.tensor([float('nan'), 0.02])[:, None, None]
    it.reset(torch.tensor([True, False]))
    assert torch.count_nonzero(it.velocity[0]) == 0
    assert it.velocity[1].tolist() == [[pytest.approx(0.02)] * 2] * 2


# All together.

def test_what_is_carried_is_all_that_the_memory_depends_on():
    """A copy that is given the tensors of another goes on as that one does."""
    drawn = torch.Generator().manual_seed(0)

    def step(it: TrackingMemory, velocity: torch.Tensor, moving: bool) -> torch.Tensor:
        o = outcome(base_linear_velocity=velocity, sole_velocities=velocity.expand(1, 2, 3))
        it.step(o.truth, torch.tensor([[float(moving), 0.0, 0.0]]), velocity,
                torch.tensor([moving]))
        return it.critic_observation(o.state).clone()

    first, again = (TrackingMemory(DT, 3, 1, 'cpu') for _ in range(2))
    for _ in range(STEPS + 5):
        step(first, torch.rand(1, 3, generator=drawn), False)
    for name, tensor in again.state_dict().items():
        tensor.copy_(first.state_dict()[name])
    for moving in (False, True):
        velocity = torch.rand(1, 3, generator=drawn)
        seen = step(first, velocity, moving)
        assert torch.equal(seen, step(again, velocity, moving)) and seen.abs().max() > 0.0
