# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The array helpers: NumPy and PyTorch alike, constants kept per device."""

from __future__ import annotations

import numpy as np
import pytest

from humanoid_locomotion.core import arrays

torch = pytest.importorskip('torch')


def test_each_array_is_told_its_library():
    assert not arrays.is_torch(np.zeros(1)) and arrays.is_torch(torch.zeros(1))
    assert arrays.namespace(np.zeros(1)) is np
    assert arrays.namespace(torch.zeros(1)) is torch


@pytest.mark.parametrize('kind', [np.asarray, torch.as_tensor])
def test_helpers_mean_the_same_in_both_libraries(kind):
    a, b = kind(np.array([[3.0, 4.0], [0.0, 0.0]])), kind(np.ones((2, 1)))
    assert np.asarray(arrays.concatenate((a, b))).tolist() == [[3, 4, 1], [0, 0, 1]]
    assert np.asarray(arrays.norm_last(a)).tolist() == [5.0, 0.0]
    assert np.asarray(arrays.any_last(a > 3.5)).tolist() == [True, False]
    assert np.asarray(arrays.largest(a, 0)).tolist() == [3.0, 4.0]
    clipped = arrays.clip(kind(np.array([-2.0, 0.5, np.nan])), kind(-np.ones(3)), kind(np.ones(3)))
    assert np.array_equal(np.asarray(clipped), [-1.0, 0.5, np.nan], equal_nan=True)
    zeros = arrays.zeros((2, 3), like=a)
    assert type(zeros) is type(a) and tuple(zeros.shape) == (2, 3)
    assert '.float32' in f'.{zeros.dtype}' and '.float32' in f'.{arrays.float32(a).dtype}'


def test_float32_does_not_copy_what_is_single_precision():
    single = np.ones(3, np.float32)
    assert arrays.float32(single) is single
    tensor = torch.ones(3)
    assert arrays.float32(tensor) is tensor


def test_a_constant_is_read_only_and_does_not_follow_its_source():
    source = [1.0, 2.0]
    constant = arrays.Constant(source)
    source[0] = 5.0
    assert constant.like(np.zeros(1)).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match='read-only'):
        constant.like(np.zeros(1))[0] = 3.0


def test_making_a_constant_leaves_the_callers_array_writable():
    source = np.ones(2, np.float32)
    constant = arrays.Constant(source)
    source[0] = 7.0
    assert constant.value.tolist() == [1.0, 1.0]


def test_a_constant_is_copied_to_each_device_once():
    constant = arrays.Constant([1.0, 2.0])
    on_cpu = constant.like(torch.zeros(1))
    assert constant.like(torch.ones(5)) is on_cpu
    on_meta = constant.like(torch.zeros(1, device='meta'))
    assert on_meta.device.type == 'meta' and constant.like(torch.zeros(1)) is on_cpu
    on_cpu[0] = 9.0
    assert constant.value.tolist() == [1.0, 2.0]


def test_a_constant_keeps_the_type_it_is_given():
    index = arrays.Constant([2, 0], dtype=np.int64)
    assert index.like(torch.zeros(1)).dtype == torch.int64
