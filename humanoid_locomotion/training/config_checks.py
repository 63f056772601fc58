# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks of values in a training config; each error begins with the key."""

from __future__ import annotations

import math
from typing import Tuple

Range = Tuple[float, float]
MAX_COUNT = 10_000_000
MAX_SEED = 2 ** 31 - 1


def check_counts(config: object, *names: str, largest: int = MAX_COUNT) -> None:
    """Raise ``ValueError`` for a field that is below 1 or above ``largest``."""
    for name in names:
        if not 1 <= getattr(config, name) <= largest:
            raise ValueError(f'{name} must be 1 to {largest:,}, found {getattr(config, name)}')


def check_ranges(config: object, *names: str) -> None:
    """Raise ``ValueError`` for a field whose lower bound is above its upper bound."""
    for name in names:
        low, high = getattr(config, name)
        if low > high:
            raise ValueError(f'{name}: {low} is above {high}')


def check_finite(value: object, at: str = '') -> None:
    """Raise ``ValueError`` with the dotted key of the first number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f'{at}: expected a finite number, found {value}')
    parts = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ())
    for key, part in parts:
        check_finite(part, f'{at}.{key}'.lstrip('.'))


def check_positive(config: object, *names: str, largest: float = math.inf) -> None:
    """Raise ``ValueError`` for a field that is not above 0, or above ``largest``."""
    bounds = 'above 0' if largest == math.inf else f'above 0 and at most {largest:g}'
    for name in names:
        if not 0.0 < getattr(config, name) <= largest:
            raise ValueError(f'{name} must be {bounds}, found {getattr(config, name)}')


def check_not_negative(config: object, *names: str) -> None:
    """Raise ``ValueError`` for a field that is below 0."""
    for name in names:
        if not getattr(config, name) >= 0.0:
            raise ValueError(f'{name} must be 0 or more, found {getattr(config, name)}')


def check_shares(config: object, *names: str) -> None:
    """Raise ``ValueError`` for a field that is not within 0 and 1."""
    for name in names:
        if not 0.0 <= getattr(config, name) <= 1.0:
            raise ValueError(f'{name} must be within 0 and 1, found {getattr(config, name)}')
