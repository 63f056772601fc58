# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rotations obey their laws, and NumPy and PyTorch agree on them."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st
import numpy as np
import pytest

from humanoid_locomotion.core import rotations

HALF = math.sqrt(0.5)
component = st.floats(-1.0, 1.0, allow_nan=False)


quaternions = st.tuples(component, component, component, component).map(np.array).filter(
    lambda q: np.linalg.norm(q) > 0.1).map(lambda q: q / np.linalg.norm(q))
vectors = st.tuples(component, component, component).map(np.array)
angles = st.floats(-3.1, 3.1)


@given(quaternions, vectors)
def test_inverse_rotation_undoes_rotation_and_keeps_length(q, v):
    turned = rotations.rotate(q, v)
    assert np.allclose(rotations.rotate_inverse(q, turned), v, atol=1e-12)
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(v), abs=1e-12)


@given(quaternions, quaternions, vectors)
def test_a_product_applies_its_second_factor_first(p, q, v):
    both = rotations.multiply(p, q)
    assert np.linalg.norm(both) == pytest.approx(1.0, abs=1e-12)
    assert np.allclose(rotations.rotate(both, v),
                       rotations.rotate(p, rotations.rotate(q, v)), atol=1e-12)


@given(quaternions)
def test_a_quaternion_times_its_conjugate_is_the_identity(q):
    assert np.allclose(rotations.multiply(q, rotations.conjugate(q)), [0, 0, 0, 1], atol=1e-12)


@given(quaternions)
def test_projected_gravity_is_the_world_down_axis_in_the_base_frame(q):
    expected = rotations.rotate_inverse(q, np.array([0.0, 0.0, -1.0]))
    assert np.allclose(rotations.projected_gravity(q), expected, atol=1e-12)


@given(quaternions, angles)
def test_turning_the_world_about_the_vertical_changes_yaw_but_not_tilt(q, angle):
    turned = rotations.multiply(rotations.yaw_quaternion(np.array(angle)), q)
    assert rotations.tilt(turned) == pytest.approx(rotations.tilt(q), abs=1e-6)
    if rotations.tilt(q) < 1.5:
        difference = rotations.yaw(turned) - rotations.yaw(q) - angle
        assert math.remainder(difference, 2.0 * math.pi) == pytest.approx(0.0, abs=1e-9)


@given(angles)
def test_yaw_of_a_pure_turn_is_its_angle(angle):
    assert rotations.yaw(rotations.yaw_quaternion(np.array(angle))) == pytest.approx(angle)


@given(quaternions, vectors)
def test_the_heading_frame_keeps_the_vertical_component(q, v):
    assert rotations.in_heading_frame(q, v)[2] == pytest.approx(v[2], abs=1e-12)


@given(quaternions, vectors)
def test_the_horizontal_part_is_that_of_the_heading_frame(q, v):
    expected = rotations.in_heading_frame(q, rotations.rotate(q, v))[:2]
    assume(abs(rotations.projected_gravity(q)[0]) < 1.0 - 1e-6)  # there the heading is undefined
    assert np.allclose(rotations.horizontal(rotations.projected_gravity(q), v), expected,
                       atol=1e-6 * (1.0 + np.abs(v).max()))


@pytest.mark.parametrize('quaternion, tilt, yaw', [
    ([0, 0, 0, 1], 0.0, 0.0),
    ([HALF, 0, 0, HALF], math.pi / 2, 0.0),                  # rolled onto its side
    ([0, 0, HALF, HALF], 0.0, math.pi / 2),                  # facing left
    ([0, math.sin(0.1), 0, math.cos(0.1)], 0.2, 0.0),        # pitched forward by 0.2
    ([1, 0, 0, 0], math.pi, 0.0)])                           # upside down
def test_worked_examples_of_tilt_and_yaw(quaternion, tilt, yaw):
    q = np.array(quaternion, dtype=float)
    assert rotations.tilt(q) == pytest.approx(tilt, abs=1e-7)
    assert rotations.tilt_of_one(q) == pytest.approx(tilt, abs=1e-7)
    assert rotations.yaw(q) == pytest.approx(yaw, abs=1e-7)


def test_tilt_of_what_is_not_a_number_is_not_a_number():
    assert math.isnan(rotations.tilt_of_one(np.array([math.nan, 0.0, 0.0, 1.0])))


def test_worked_examples_of_frames():
    facing_left = np.array([0.0, 0.0, HALF, HALF])
    assert np.allclose(rotations.rotate(facing_left, np.array([1.0, 0, 0])), [0, 1, 0])
    north = np.array([0.0, 1.0, 0.0])  # the way it faces, so straight ahead in its heading frame
    assert np.allclose(rotations.in_heading_frame(facing_left, north), [1, 0, 0])
    pitched = np.array([0.0, math.sin(0.1), 0.0, math.cos(0.1)])
    assert np.allclose(rotations.projected_gravity(pitched),
                       [math.sin(0.2), 0.0, -math.cos(0.2)])


@given(vectors)
def test_a_small_rotation_turns_by_its_vector(v):
    small = 1e-4 * v
    turned = rotations.rotate(rotations.small_rotation(small), np.array([1.0, 2.0, 3.0]))
    expected = np.array([1.0, 2.0, 3.0]) + np.cross(small, [1.0, 2.0, 3.0])
    assert np.allclose(turned, expected, atol=1e-6)


def test_numpy_and_torch_agree():
    torch = pytest.importorskip('torch')
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(2, 200, 4)).astype(np.float32)
    p, q = rotations.normalize(p), rotations.normalize(q)
    v = rng.normal(size=(200, 3)).astype(np.float32)
    angle = rng.uniform(-3, 3, 200).astype(np.float32)
    for function, arguments in (
            (rotations.normalize, (3 * p,)), (rotations.rotate, (p, v)),
            (rotations.rotate_inverse, (p, v)), (rotations.multiply, (p, q)),
            (rotations.conjugate, (p,)), (rotations.cross, (v, v[::-1].copy())),
            (rotations.projected_gravity, (p,)), (rotations.yaw, (p,)),
            (rotations.yaw_quaternion, (angle,)), (rotations.small_rotation, (v,)),
            (rotations.in_heading_frame, (p, v)), (rotations.tilt, (p,)),
            (rotations.horizontal, (rotations.projected_gravity(p), v))):
        expected = function(*arguments)
        got = function(*(torch.as_tensor(a) for a in arguments))
        assert isinstance(got, torch.Tensor) and got.dtype == torch.float32, function
        assert np.allclose(got.numpy(), expected, atol=1e-6), function
