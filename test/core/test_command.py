# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command axes, their ranges, and the gait clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import contract

from humanoid_locomotion.core.command import (
    COMMAND_AXES,
    CommandAxis,
    CommandSpec,
    GaitClock,
    GaitSpec,
    register_command_axis,
)
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.reading import config

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
    assert np.array_equal(it.step(STAND), np.zeros((1, 4)))
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
    assert np.allclose(features, [[1.0, 0.0, -1.0, 0.0]], atol=1e-6)
    assert features.dtype == np.float32


@pytest.mark.parametrize('at_rest, numbers, phases', [
    (None, [0, 0, 0, 0], [0.05, 0.05, 0.075]),
    ('running', [0, 0, 0, 0], [0.075, 0.1, 0.125]),
    ('half_stride', [0, -1, 0, -1], [0.0, 0.0, 0.025])])
def test_while_standing_the_clock_is_as_its_stack_has_it(at_rest, numbers, phases):
    it = GaitClock(replace(SPEC, at_rest=at_rest), LIMITS, 0.02, 1, np.zeros(0, np.float32))
    it.step(WALK)
    left_and_right = it.step(WALK)[0]
    angle = 2 * np.pi * 0.025
    assert left_and_right[:2] == pytest.approx([np.sin(angle), np.cos(angle)], abs=1e-6)
    assert left_and_right[2:] == pytest.approx(-left_and_right[:2])  # half a stride later
    seen = []
    for command in (STAND, STAND, WALK):
        if command is STAND:
            assert it.step(command)[0].tolist() == numbers
        else:
            it.step(command)
        seen.append(float(it.phase[0]))
    assert seen == pytest.approx(phases, abs=1e-6)


def test_resetting_touches_only_the_robots_in_the_mask():
    it = clock(3)
    it.step(np.repeat(WALK, 3, axis=0))
    it.reset(np.array([False, True, False]), np.array([0.1, 0.5, 0.9], np.float32))
    assert it.phase == pytest.approx([0.025, 0.5, 0.025])


def test_each_robot_has_a_rhythm_of_its_own():
    it = clock(2)
    features = it.step(np.concatenate([WALK, STAND]))
    assert it.phase == pytest.approx([0.025, 0.0])
    assert np.allclose(features[:, :2], [[0.0, 1.0], [0.0, 0.0]])


VELOCITY = {'lin_vel_x': [-0.5, 1.0], 'lin_vel_y': [-0.4, 0.4], 'ang_vel_z': [-1.0, 1.0]}
WITH_HEIGHT = {**VELOCITY, 'base_height': [0.6, 0.9, 0.85]}


def read(data):
    """Read a spec as a config or a contract does."""
    return config.from_mapping(CommandSpec, data, 'here', 'command_limits')


@pytest.mark.parametrize('data', [VELOCITY, WITH_HEIGHT])
def test_a_spec_is_written_as_it_was_read_whatever_the_order(data):
    spec = read(data)
    assert config.to_mapping(spec) == data
    assert read(dict(sorted(data.items()))) == spec == read(dict(reversed(data.items())))
    assert spec.names == tuple(data)


def test_a_further_axis_has_a_rest_a_sign_and_does_not_move():
    spec = read(WITH_HEIGHT)
    assert spec.rest == (0.0, 0.0, 0.0, 0.85) and spec.mirror_signs == (1.0, -1.0, -1.0, 1.0)
    commands = np.array([[0.0, 0.0, 0.0, 0.6], [0.0, 0.0, 0.2, 0.85]], np.float32)
    assert spec.is_moving(commands, 0.1).tolist() == [False, True]
    assert spec.moving_part(commands).shape == (2, 3)
    assert spec.velocity == LIMITS and LIMITS.velocity is LIMITS


@pytest.mark.parametrize('shape', [(3,), (5, 3), (2, 5, 3)])
def test_a_velocity_is_completed_with_the_rest_of_further_axes(shape):
    torch = pytest.importorskip('torch')
    velocity = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    spec = read(WITH_HEIGHT)
    full = spec.with_velocity(velocity)
    assert np.array_equal(full[..., :3], velocity)
    assert np.all(full[..., 3] == np.float32(0.85)) and full.dtype == np.float32
    assert np.array_equal(spec.with_velocity(torch.as_tensor(velocity)).numpy(), full)
    assert LIMITS.with_velocity(velocity) is velocity


def test_the_clock_stops_though_a_further_axis_is_commanded():
    it = GaitClock(SPEC, read(WITH_HEIGHT), 0.02, 1, np.zeros(0, np.float32))
    it.step(np.array([[0.0, 0.0, 0.0, 0.6]], np.float32))
    assert it.phase[0] == 0.0
    it.step(np.array([[0.5, 0.0, 0.0, 0.6]], np.float32))
    assert it.phase[0] > 0.0


@pytest.mark.parametrize('data, message', [
    ({**VELOCITY, 'base_heihgt': [0, 1]}, r"unknown keys \['base_heihgt'\]; the keys are \['ang"),
    ({'lin_vel_x': [0, 1]}, r"missing keys \['lin_vel_y', 'ang_vel_z'\]"),
    ({**VELOCITY, 'lin_vel_x': [1.0]}, r'lin_vel_x: expected \[lowest, highest\] or .* \[1.0\]'),
    ({**VELOCITY, 'lin_vel_x': [-1, 1, 0.5]}, 'lin_vel_x: the value at rest must be 0'),
    ({**VELOCITY, 'lin_vel_x': [-11, 1]}, r'lin_vel_x: the range must lie within \[-10, 10\]'),
    ({**VELOCITY, 'lin_vel_x': ['a', 1]}, 'command_limits.lin_vel_x.*expected float, found str'),
    ({**VELOCITY, 'base_height': [0.6, 0.8]}, 'base_height: the range must contain 0, the'),
    ({**WITH_HEIGHT, 'base_height': [0.6, 2.5, 0.8]}, r'must lie within \[-2, 2\]'),
    ([1, 2, 3], 'expected a mapping')])
def test_a_mapping_that_does_not_fit_is_refused_by_its_key(data, message):
    with pytest.raises(ConfigError, match=message):
        read(data)


def test_an_axis_is_registered_once_and_found_by_name():
    base_height = COMMAND_AXES['base_height']
    with pytest.raises(ValueError, match="'base_height' is already registered"):
        register_command_axis(base_height)
    assert base_height.title == 'base height [m]'
    with pytest.raises(UnknownNameError, match="unknown command axis 'base_height'"):
        LIMITS.index('base_height')
    assert read(WITH_HEIGHT)['base_height'].rest == 0.85


@pytest.mark.parametrize('changes, message', [
    ({'mirror_sign': 0.5}, 'mirror_sign must be -1 or 1, found 0.5'),
    ({'max_rate': 0.0}, 'max_rate must be above 0, found 0.0'),
    ({'counts_as_moving': True, 'rest': 0.5}, 'must have rest 0, found 0.5')])
def test_an_axis_that_cannot_be_is_refused(changes, message):
    fitting = {'name': 'x', 'label': 'x', 'unit': 'm', 'mirror_sign': 1.0,
               'counts_as_moving': False, 'max_magnitude': 1.0, 'max_rate': 1.0}
    with pytest.raises(ValueError, match=message):
        CommandAxis(**{**fitting, **changes})


def test_a_contract_keeps_its_fingerprint_through_sorted_json():
    made = contract(command_limits=read(WITH_HEIGHT))
    again = PolicyContract.from_mapping(
        {**dict(sorted(made.to_mapping().items()))}, 'here')
    assert again == made and again.fingerprint != contract().fingerprint
