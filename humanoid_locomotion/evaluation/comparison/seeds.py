# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Comparison of policies that differ only in their training seed, and their median."""

from __future__ import annotations

from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.evaluation.comparison.compare import read_scorecards
from humanoid_locomotion.evaluation.gates import LINES
from humanoid_locomotion.evaluation.scorecard import Scorecard, shown


class Seeds(NamedTuple):
    """Policies that differ only in their training seed.

    Attributes:
        names: Their names.
        cards: Their scorecards.
        ranking: Their indices, best first.
    """

    names: Sequence[str]
    cards: Sequence[Scorecard]
    ranking: Sequence[int]

    @property
    def median(self) -> int:
        """Index of the median policy; of two in the middle, the weaker one."""
        return self.ranking[len(self.ranking) // 2]

    def to_markdown(self) -> str:
        """Return the table and the sentence about the median."""
        setting = self.cards[0].setting
        lines = [line.scaled(setting.scale) for line in LINES]
        head = ['line', 'gate', 'lead', 'best public', *self.names]
        rows = [[line.name + (f' [{line.unit}]' if line.unit else ''), shown(line.gate),
                 shown(line.lead), f'{shown(line.public)} ({line.whose})',
                 *(_cell(card, i) for card in self.cards)] for i, line in enumerate(lines)]
        rows += [[what, '', '', '', *(str(count(card)) for card in self.cards)]
                 for what, count in (('**lines passed**', _passed),
                                     ('**lines led**', lambda card: card.lines_led))]
        table = [head, ['---'] * len(head), *rows]
        return '\n'.join(['| ' + ' | '.join(row) + ' |' for row in table] + [
            '', f'{setting.asked.capitalize()}. Bold leads, *italic* misses its gate.', '',
            self.reason(), ''])

    def reason(self) -> str:
        """Return a sentence that names the median and the ranking."""
        order = ', '.join(
            f'{self.names[i]} ({_passed(self.cards[i])} passed, {self.cards[i].lines_led} led)'
            for i in self.ranking)
        return (f'The median is **{self.names[self.median]}**. Best first, by lines passed, then '
                f'lines led, then the first line that differs: {order}.')


def rank_seeds(policies: Sequence[str]) -> Seeds:
    """Rank policies of one recipe by lines passed, then lines led, then line by line.

    Args:
        policies: See :func:`read_scorecards`.

    Raises:
        ConfigError: As raised by :func:`read_scorecards`, or the contracts differ.
    """
    cards = read_scorecards(policies)
    for policy, card in zip(policies, cards):
        found, wanted = card.setting.fingerprint, cards[0].setting.fingerprint
        names = [line.name for line in card.criteria]
        if names != [line.scaled(card.setting.scale).name for line in LINES]:
            raise ConfigError(policy, 'criteria', f'are {names}, expected those of today: '
                              'evaluate it again')
        if found != wanted:
            raise ConfigError(policy, 'setting.fingerprint', f'is {found}, that of {policies[0]} '
                              f'is {wanted}: seeds of one recipe share their contract')
    ranking = sorted(range(len(cards)), key=lambda i: _key(cards[i]))
    return Seeds([_name(policy) for policy in policies], cards, ranking)


def _name(policy: str) -> str:
    path = Path(policy)
    if path.name == 'scorecard.json':
        return path.parent.name
    return path.stem if path.suffix == '.json' else path.name


def _passed(card: Scorecard) -> int:
    return sum(line.passed for line in card.criteria)


def _key(card: Scorecard) -> Tuple[float, ...]:
    """Return the sort key of a scorecard, smallest for the best; missing values are worst."""
    values: List[float] = [-_passed(card), -card.lines_led]
    for line in card.criteria:
        sign = -1.0 if line.more_is_better else 1.0
        values += [float('inf') if value is None else sign * value for value in line.measured]
    return tuple(values)


def _cell(card: Scorecard, i: int) -> str:
    line = card.criteria[i]
    mark = {'leads': '**', 'FAIL': '*'}.get(line.verdict, '')
    return f'{mark}{shown(line.measured)}{mark}'
