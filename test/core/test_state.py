# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The test for a fall, on NumPy and on PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from humanoid_locomotion.core.state import is_down


@pytest.mark.parametrize('kind', [np.array, torch.tensor], ids=['numpy', 'torch'])
def test_a_robot_is_down_that_is_too_low_tilted_too_far_or_lost(kind):
    heights = kind([0.9, 0.5, 0.4, 0.9, 0.9, math.nan, 0.9])
    tilts = kind([0.1, 0.8, 0.1, 0.9, math.pi, 0.1, math.nan])
    assert is_down(heights, tilts, 0.5, 0.8).tolist() == [
        False, False, True, True, True, True, True]
