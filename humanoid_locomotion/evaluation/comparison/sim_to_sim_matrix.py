# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a policy in several simulator settings; the table is written to its card.

The settings differ in time step and solver iterations. On a machine with a GPU they include MuJoCo
Warp. A policy that depends on details of one simulator gets different values in another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import json
from pathlib import Path
import tempfile
from typing import Any, Optional, Sequence

from humanoid_locomotion.core.errors import MissingPackageError
from humanoid_locomotion.core.policy.card import read_card, with_sim_to_sim
from humanoid_locomotion.core.policy.content import SIM_TO_SIM, sign_measured
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.evaluation.comparison.sim_to_sim import Elsewhere, changes, own_scorecard
from humanoid_locomotion.evaluation.evaluate import Progress, evaluate
from humanoid_locomotion.evaluation.protocol import Protocol, protocol_for
from humanoid_locomotion.evaluation.scorecard import Criterion, Scorecard, Setting, shown
from humanoid_locomotion.sim.backend import import_backend

FINE, COARSE = Elsewhere(dt=0.001, iterations=100), Elsewhere(dt=0.005, iterations=8)


@dataclass(frozen=True)
class Place:
    """The result of a policy in one setting.

    Attributes:
        passed: Whether every line reaches its gate.
        criteria: The lines.
        setting: The setting.
    """

    passed: bool
    criteria: tuple[Criterion, ...]
    setting: Setting


def settings() -> tuple[Elsewhere, ...]:
    """Return the settings that a release must pass in; with MuJoCo Warp if it has a GPU."""
    try:
        warp: Any = import_backend('mujoco_warp')
    except MissingPackageError:
        return FINE, COARSE
    return (FINE, COARSE, Elsewhere('mujoco_warp')) if warp.has_gpu() else (FINE, COARSE)


def evaluate_everywhere(policy: str, *, quick: bool = False, seed: int = 0,
                        progress: Optional[Progress] = None,
                        standard: Optional[Protocol] = None,
                        elsewhere: Optional[Sequence[Elsewhere]] = None,
                        robot: Optional[RobotSpec] = None
                        ) -> tuple[Scorecard, Sequence[Scorecard]]:
    """Measure a policy in the standard setting and in others; write the results to its folder.

    Writes ``sim_to_sim.json`` and the table in ``card.md``. Writes ``scorecard.json`` and its
    pictures as well, unless the folder holds a scorecard of the same protocol and seed.

    Args:
        policy: Path of the policy folder, or the name of an included policy.
        quick: Reduce the number of runs; such a policy does not count as released.
        seed: Seed of every random choice.
        progress: Called with the name of the running part and the completed share of it.
        standard: The standard protocol; None for the one for the robot and ``quick``.
        elsewhere: The other settings; those of :func:`settings` by default.
        robot: The robot; None for the one that the contract names.

    Returns:
        The scorecard of the standard setting and those of the other settings.

    Raises:
        PolicyError: The policy folder is invalid; nothing is written.
    """
    opened = open_policy(policy, engine='onnxruntime')
    robot = robot or load_robot(opened.contract.robot)
    standard = standard or protocol_for(robot, quick)
    own = own_scorecard(opened.path, opened.contract.fingerprint, standard, seed) or evaluate(
        policy, seed=seed, progress=progress, protocol=standard, robot=robot)
    cards = []
    for place in settings() if elsewhere is None else elsewhere:
        protocol = place.protocol(standard)
        name = _name(replace(own.setting, simulator=protocol.simulator,
                             timestep=protocol.longest_timestep,
                             solver_iterations=protocol.solver_iterations))
        with tempfile.TemporaryDirectory() as scratch:
            cards.append(evaluate(policy, output=Path(scratch), seed=seed, protocol=protocol,
                                  progress=progress and _at(name, progress), robot=robot))
    places = [config.to_mapping(Place(card.passed, card.criteria, card.setting))
              for card in cards]
    (opened.path / SIM_TO_SIM).write_text(
        json.dumps(places, sort_keys=True, indent=2, allow_nan=False) + '\n', encoding='utf-8')
    sign_measured(opened.path, [SIM_TO_SIM])
    _write_section(opened.path / 'card.md', difference_table(own, cards))
    return own, cards


def difference_table(standard: Scorecard, others: Sequence[Scorecard]) -> str:
    """Return a Markdown table of every line in every setting, with the change of each value."""
    head = ['line', 'gate', _name(standard.setting), *(_name(card.setting) for card in others)]
    rows = [head, ['---'] * len(head)]
    for i, line in enumerate(standard.criteria):
        rows.append([line.label, shown(line.gate), _cell(line), *(
            f'{_cell(card.criteria[i])} ({shown(changes(line, card.criteria[i]), "+.2g")})'
            for card in others)])
    rows.append(['all lines', '', *(
        'passed' if card.passed else '**failed**' for card in (standard, *others))])
    return '\n'.join([
        f'{standard.setting.asked.capitalize()}. The standard setting is first; in brackets the '
        'change from it. Bold misses its gate.', '',
        *('| ' + ' | '.join(row) + ' |' for row in rows)])


def _at(place: str, progress: Progress) -> Progress:
    return lambda what, share: progress(f'{place}: {what}', share)


def _cell(line: Criterion) -> str:
    return shown(line.measured) if line.passed else f'**{shown(line.measured)}**'


def _name(setting: Setting) -> str:
    return (f'{setting.simulator}, {1e3 * setting.timestep:.3g} ms, '
            f'{setting.solver_iterations} iterations')


def _write_section(card: Path, table: str) -> None:
    """Write the section into a card, in place of an earlier one or before the config."""
    text = read_card(card) if card.is_file() else f'# {card.parent.name}\n'
    card.write_text(with_sim_to_sim(text, table), encoding='utf-8')
