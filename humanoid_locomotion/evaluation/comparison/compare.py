# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Comparison of several policies by their scorecards."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.evaluation.scorecard import Scorecard, read_scorecard

Values = Tuple[Optional[float], ...]


@dataclass(frozen=True)
class Row:
    """One line of the comparison.

    Attributes:
        label: Name of the line, with its unit.
        measured: The values of each policy.
        best: Indices of the policies that no other exceeds; empty if nothing was measured.
    """

    label: str
    measured: Sequence[Values]
    best: Sequence[int]


@dataclass(frozen=True)
class Comparison:
    """The scorecard lines of several policies.

    Attributes:
        names: The policies.
        asked: The protocol, and whether it is scaled.
        passed: Whether each passes.
        rows: The lines.
    """

    names: Sequence[str]
    asked: str
    passed: Sequence[bool]
    rows: Sequence[Row]

    def to_mapping(self) -> Dict[str, Any]:
        """Return the comparison as plain data."""
        return {'policies': list(self.names), 'asked': self.asked, 'passed': list(self.passed),
                'lines': [
            {'line': row.label, 'measured': [list(values) for values in row.measured],
             'best': [self.names[i] for i in row.best]} for row in self.rows]}


def compare(policies: Sequence[str]) -> Comparison:
    """Compare policies by their ``scorecard.json``.

    Args:
        policies: See :func:`read_scorecards`.

    Raises:
        ConfigError: As raised by :func:`read_scorecards`.
    """
    cards = read_scorecards(policies)
    rows = []
    for lines in zip(*(card.criteria for card in cards)):
        measured = [line.measured for line in lines]
        rows.append(Row(lines[0].label, measured, _best(measured, lines[0].more_is_better)))
    return Comparison([str(policy) for policy in policies], cards[0].setting.asked,
                      [card.passed for card in cards], rows)


def read_scorecards(policies: Sequence[str]) -> List[Scorecard]:
    """Return the scorecards of policies that were measured with the same protocol.

    Args:
        policies: Policy folders, names of included policies, or ``scorecard.json`` files.

    Raises:
        ConfigError: A scorecard is missing or invalid, or the protocols differ.
    """
    paths = [Path(policy) if policy.endswith('.json') else find_policy(policy) / 'scorecard.json'
             for policy in policies]
    for path in paths:
        if not os.path.lexists(path):
            raise ConfigError(path, '', 'is missing: run humanoid-locomotion evaluate '
                              f'{path.parent}')
    cards = [read_scorecard(path) for path in paths]
    _check_same_protocol(cards, paths)
    return cards


def _check_same_protocol(cards: Sequence[Scorecard], paths: Sequence[Path]) -> None:
    first = cards[0]
    for card, path in zip(cards, paths):
        for key in ('protocol', 'quick', 'scale'):
            expected, found = getattr(first.setting, key), getattr(card.setting, key)
            if found != expected:
                raise ConfigError(path, f'setting.{key}', f'is {found}, that of {paths[0]} is '
                                  f'{expected}: ' + (
                                      'robots of another size are asked for other values'
                                      if key == 'scale' else 'evaluate both in the same way'))
        expected, found = ([line.name for line in it.criteria] for it in (first, card))
        if found != expected:
            raise ConfigError(path, 'criteria', f'are {found}, those of {paths[0]} are {expected}')


def _best(measured: Sequence[Values], more_is_better: bool) -> List[int]:
    """Return the indices of the policies that no other policy exceeds.

    A policy exceeds another if it is as good in every value and better in at least one.
    """
    sign = 1.0 if more_is_better else -1.0
    keys = [tuple(float('-inf') if value is None else sign * value for value in values)
            for values in measured]
    if all(value == float('-inf') for key in keys for value in key):
        return []
    return [i for i, key in enumerate(keys)
            if not any(other != key and all(o >= k for o, k in zip(other, key))
                       for other in keys)]
