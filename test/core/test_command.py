"""Command limits and the gait clock."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec, GaitClock, GaitSpec

LIMITS = CommandSpec.of(
    lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-1.0, 1.0))
SPEC = GaitSpec(period=0.8, moving_threshold=0.1)
WALK, STAND = np.array([[0.5, 0.0, 0.0]], np.float32), np.zeros((1, 3), np.float32)


def clock(num_envs: int = 1) -> GaitClock:
    """Give a clock at 50 Hz: forty control steps to a stride."""
    return GaitClock(SPEC, LIMITS, 0.02, num_envs, np.zeros(0, np.float32))


def test_clamping_moves_each_component_on_its_own():
    commands = np.array([[2.0, 0.1, -3.0], [-2.0, -0.5, 0.5]], np.float32)
    clamped = LIMITS.clamp(commands)
    assert np.allclose(clamped, [[1.0, 0.1, -1.0], [-0.5, -0.4, 0.5]])
    assert np.array_equal(LIMITS.clamp(clamped), clamped)
    assert commands[0, 0] == 2.0  # the caller's array is left alone


def test_torch_commands_are_clamped_alike():
    torch = pytest.importorskip('torch')
    commands = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert np.array_equal(LIMITS.clamp(torch.as_tensor(commands)).numpy(), LIMITS.clamp(commands))


@pytest.mark.parametrize('low, high', [(0.1, 1.0), (-1.0, -0.1), (1.0, -1.0)])
def test_a_range_that_excludes_standing_is_refused(low, high):
    with pytest.raises(ValueError, match=r'lin_vel_y: the range must contain 0'):
        CommandSpec.of(
            lin_vel_x=(-1.0, 1.0), lin_vel_y=(low, high), ang_vel_z=(-1.0, 1.0))


def test_moving_is_told_by_the_norm():
    commands = np.array([[0.0, 0, 0], [0.08, 0.08, 0], [0.05, 0, 0], [0, 0, -0.2]])
    assert LIMITS.is_moving(commands, 0.1).tolist() == [False, True, False, True]


def test_a_stride_lasts_its_period_in_control_steps():
    it = clock()
    for step in range(1, 41):
        it.step(WALK)
        assert it.phase[0] == pytest.approx((step / 40) % 1.0, abs=1e-5) or step == 40
    assert min(it.phase[0], 1.0 - it.phase[0]) < 1e-5  # one stride later it is where it began


def test_the_clock_holds_still_while_standing():
    it = clock()
    it.step(WALK)
    before = it.phase.copy()
    assert np.array_equal(it.step(STAND), np.zeros((1, 2)))
    assert np.array_equal(it.phase, before)


@pytest.mark.parametrize('figures, message', [
    ((0.0, 0.1), 'period must be from 0.1 to 10 s, found 0.0'),
    ((-0.8, 0.1), 'period must be from 0.1 to 10 s, found -0.8'),
    ((float('nan'), 0.1), 'period must be from 0.1 to 10 s, found nan'),
    ((1e-9, 0.1), 'period must be from 0.1 to 10 s, found 1e-09'),
    ((float('inf'), 0.1), 'period must be from 0.1 to 10 s, found inf'),
    ((0.8, float('nan')), 'moving_threshold must be from -10 to 10, found nan')])
def test_a_rhythm_that_is_none_is_refused(figures, message):
    with pytest.raises(ValueError, match=message):
        GaitSpec(*figures)


def test_features_are_sine_and_cosine_of_the_phase_before():
    it = clock()
    it.reset(np.array([True]), 0.25)
    features = it.step(WALK)
    assert np.allclose(features, [[1.0, 0.0]], atol=1e-6)
    assert features.dtype == np.float32


def test_resetting_touches_only_the_robots_in_the_mask():
    it = clock(3)
    it.step(np.repeat(WALK, 3, axis=0))
    it.reset(np.array([False, True, False]), np.array([0.1, 0.5, 0.9], np.float32))
    assert it.phase == pytest.approx([0.025, 0.5, 0.025])


def test_each_robot_has_a_rhythm_of_its_own():
    it = clock(2)
    features = it.step(np.concatenate([WALK, STAND]))
    assert it.phase == pytest.approx([0.025, 0.0])
    assert np.allclose(features, [[0.0, 1.0], [0.0, 0.0]])
