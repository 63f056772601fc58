# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The scorecard of a small robot: its commands and gates, its card, and comparisons."""

from __future__ import annotations

from dataclasses import fields, replace
import io
import json

import numpy as np
from policy_factory import make_contract, write_policy
import pytest
from scorecards import FAKE, GOOD, SETTING

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')
pytest.importorskip('matplotlib')

from rich.console import Console

from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.robot_size import USUAL, Scale
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation import cli, protocol
from humanoid_locomotion.evaluation.comparison import sim_to_sim
from humanoid_locomotion.evaluation.comparison.compare import compare
from humanoid_locomotion.evaluation.comparison.seeds import rank_seeds
from humanoid_locomotion.evaluation.comparison.sim_to_sim import (
    Elsewhere,
    evaluate_elsewhere,
    own_scorecard,
)
from humanoid_locomotion.evaluation.comparison.sim_to_sim_matrix import difference_table
from humanoid_locomotion.evaluation.evaluate import evaluate
from humanoid_locomotion.evaluation.gates import LINES, make_scorecard
from humanoid_locomotion.evaluation.plots import comparison_plot, plots
from humanoid_locomotion.evaluation.protocol import FULL, QUICK, protocol_for
from humanoid_locomotion.evaluation.scorecard import Scorecard, read_scorecard

SMALL = Scale(speed=0.71, mass=0.11)
ASKED = 'scaled to the robot: speeds x 0.71, turning x 1.41, payload x 0.11'
TODDLER = FULL.scaled(SMALL)


def small_card(**setting):
    """Give a scorecard of the small robot, as good as that of the usual size is."""
    def scaled(records, **values):
        return tuple(replace(record, **dict(zip(values, row)))
                     for record, row in zip(records, zip(*values.values())))

    measured = replace(
        GOOD, mean_linear_error=0.03, standing=replace(GOOD.standing, drift_mean=0.01),
        responses=scaled(GOOD.responses, command=TODDLER.commands),
        pushes=tuple(replace(it, rungs=scaled(it.rungs, speed=TODDLER.push_speeds))
                     for it in GOOD.pushes),
        economy=scaled(GOOD.economy, command=TODDLER.economy_speeds, foot_slip=(0.02, 0.02)))
    return make_scorecard(measured, replace(SETTING, scale=SMALL, **setting))


@pytest.mark.parametrize('quick', [False, True])
@pytest.mark.parametrize('name', ['humanoid', 'unitree_g1', 'unitree_h1', 'booster_t1', 'talos'])
def test_a_robot_of_the_usual_size_is_asked_what_it_always_was(name, quick):
    assert protocol_for(load_robot(name), quick) == (QUICK if quick else FULL)
    assert tuple(line.scaled(USUAL) for line in LINES) == LINES


@pytest.mark.parametrize('name', ['humanoid', 'unitree_g1', 'unitree_h1'])
def test_the_cards_that_ship_keep_their_verdicts(name):
    card = read_scorecard(policy_folders()[name] / 'scorecard.json')
    assert make_scorecard(card.figures, card.setting) == card


def test_speeds_and_payload_are_scaled_and_nothing_else():
    assert protocol_for(load_robot('toddlerbot')) == TODDLER
    changed = {it.name for it in fields(FULL)
               if getattr(FULL, it.name) != getattr(TODDLER, it.name)}
    assert changed == {
        'scale', 'commands', 'economy_speeds', 'slow_speeds', 'push_groups', 'push_speeds',
        'tour_limits', 'tour_push_speed', 'situations', 'ice'}
    assert TODDLER.commands[4] == (0.71, 0.0, 0.0)
    assert TODDLER.commands[-1] == (0.355, 0.142, 0.423)
    assert TODDLER.push_speeds[-2:] == (2.13, 2.48)
    assert TODDLER.tour_limits.upper == (0.568, 0.213, 0.704)
    assert [it.name for it in (*TODDLER.situations[1:4], TODDLER.ice)] == [
        'friction 0.4, sideways', 'payload 0.44 kg, ahead', 'payload 0.44 kg, standing',
        'friction 0.2, 0.213 m/s']
    lite = protocol_for(load_robot('berkeley_lite'))
    assert (lite.commands[4][0], lite.situations[2].payload) == (0.95, 2.16)


def test_gates_are_scaled_by_their_unit_and_lines_name_what_was_asked():
    lines = {line.name: (line.gate, line.lead) for line in small_card().criteria}
    assert lines['mean velocity error, 12 commands'] == ((0.0426,), (0.0249,))
    assert lines['mean turning error, 12 commands'] == ((0.0423,), (0.0141,))
    assert lines['drift in 10 s of standing'] == ((0.0101,), (0.00126,))
    assert lines['kicks of 1.06, 1.77, 2.13 m/s survived, of 10'] == (
        (9.0, None, None), (10.0, 10.0, 9.0))
    assert lines['cost of transport at 0.355, 0.71 m/s'] == ((0.45, 0.45), (0.29, 0.31))
    assert lines['RMS change of leg and waist targets at 0.355 m/s'] == ((3.52,), (2.04,))
    assert lines['60 s tour, arms led: mean time up'] == ((30.0,), (55.0,))
    assert small_card().passed


def test_the_card_says_how_it_is_scaled_wherever_it_is_shown(tmp_path, monkeypatch):
    card = small_card()
    assert Scorecard.from_json(card.to_json(), 'x') == card
    assert json.loads(card.to_json())['setting']['scale'] == {'speed': 0.71, 'mass': 0.11}
    pages = []
    for module in (plots, comparison_plot):
        monkeypatch.setattr(module, 'new_figure', lambda size, make=module.new_figure:
                            pages.append(make(size)) or pages[-1])
    plots.draw(card, np.zeros((2, 1, 2)), tmp_path / 'a.png')
    comparison_plot.draw_field(card, tmp_path / 'b.png')
    (tmp_path / 'scorecard.json').write_text(card.to_json())
    seeds = [str(tmp_path / 'scorecard.json')] * 2
    console = Console(file=io.StringIO(), width=200)
    print_table(console, cli.table(card))
    print_table(console, cli.differences(card, card))
    cli.run_compare(seeds, as_json=False, console=console)
    assert console.file.getvalue().count(ASKED) == 3
    assert compare(seeds).to_mapping()['asked'] == f'protocol 2, {ASKED}'
    assert rank_seeds(seeds).to_markdown().count('kicks of 1.06, 1.77, 2.13 m/s') == 1
    drawn = [' '.join(text.get_text() for text in page.texts) for page in pages]
    for shown in (*drawn, difference_table(card, [card]), rank_seeds(seeds).to_markdown()):
        assert ASKED in shown
    marks = {line.get_label(): line.get_xydata().tolist() for line in pages[1].axes[0].lines}
    assert marks['gate'] == [[1.06, 9.0]] and marks['lead'][2] == [2.13, 9.0]


def test_cards_of_another_scale_are_not_compared(tmp_path):
    for name, card in (('a', small_card()), ('b', make_scorecard(GOOD, SETTING))):
        (tmp_path / f'{name}.json').write_text(card.to_json())
    with pytest.raises(ConfigError, match=r'b.json: setting.scale: is speeds x 1, turning x 1, '
                       r'payload x 1, that of .*a.json is speeds x 0.71, .*robots of another'):
        compare([str(tmp_path / 'a.json'), str(tmp_path / 'b.json')])


@pytest.mark.parametrize('scale', [{'speed': 1.2}, {'speed': 0}, {'size': 1}, 0.7, None])
def test_a_scale_that_cannot_be_is_refused(scale):
    data = json.loads(small_card().to_json())
    data['setting']['scale'] = scale
    with pytest.raises(ConfigError, match=r'setting\.scale'):
        Scorecard.from_json(json.dumps(data), 'card')


def test_a_small_robot_is_measured_at_its_scale_here_and_elsewhere(tmp_path, monkeypatch):
    for module in (protocol, sim_to_sim):
        monkeypatch.setattr(module, 'QUICK', replace(
            FAKE, tour_time=1.0, measure_time=0.5, survive_time=0.5, settle_time=0.5))
    contract = make_contract('toddlerbot')
    size = Controller(contract).builder.size
    folder = write_policy(tmp_path / 'small', contract,
                          np.zeros((contract.num_actions, size), np.float32))
    card = evaluate(str(folder), quick=True)
    assert card.setting.scale == SMALL and ASKED in card.setting.asked
    assert [it.command for it in card.figures.economy] == [0.355, 0.71]
    assert 'payload 0.44 kg, ahead' in {it.name for it in card.figures.situations}
    standard, there = evaluate_elsewhere(str(folder), Elsewhere(iterations=3), quick=True)
    assert standard == card and there.setting.scale == SMALL


def test_a_stored_card_of_another_scale_is_measured_again(tmp_path):
    for card, found in ((small_card(protocol=4), True),
                        (make_scorecard(GOOD, replace(SETTING, protocol=4)), False)):
        (tmp_path / 'scorecard.json').write_text(card.to_json())
        own = own_scorecard(tmp_path, SETTING.fingerprint, TODDLER, SETTING.seed)
        assert (own == card) is found and (own is None) is not found
