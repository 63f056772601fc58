# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The scorecard: written, read back, and a verdict that each gate can fail alone."""

from __future__ import annotations

from dataclasses import replace
import json

import numpy as np
import pytest
from scorecards import GOOD, SETTING, TOUR, ladder, response

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.evaluation.gates import LINES, make_scorecard
from humanoid_locomotion.evaluation.protocol import COMMANDS, FULL
from humanoid_locomotion.evaluation.scorecard import (
    Rung,
    Scorecard,
    read_scorecard,
    shown,
)


def cheaper(i, **changes):
    """Give figures with one speed's economy changed."""
    changed = list(GOOD.economy)
    changed[i] = replace(changed[i], **changes)
    return replace(GOOD, economy=tuple(changed))


def verdicts(figures):
    """Map each line's name to its verdict."""
    card = make_scorecard(figures, SETTING)
    assert card.passed == all(line.passed for line in card.criteria)
    return {line.name: line.verdict for line in card.criteria}


def failed(figures):
    """List the lines that figures fail."""
    return [name for name, verdict in verdicts(figures).items() if verdict == 'FAIL']


def test_there_are_twelve_lines_and_good_figures_pass_them():
    assert len(LINES) == len({line.name for line in LINES}) == 12
    assert failed(GOOD) == []


DEAF = tuple(response(command, answered=i > 1) for i, command in enumerate(COMMANDS))
FALLEN = (replace(GOOD.situations[0], falls=2), *GOOD.situations[1:])


@pytest.mark.parametrize('figures, name', [
    (replace(GOOD, mean_linear_error=0.0601), 'mean velocity error, 12 commands'),
    (replace(GOOD, mean_yaw_error=0.0301), 'mean turning error, 12 commands'),
    (replace(GOOD, responses=DEAF), 'commands answered, of 12'),
    (replace(GOOD, standing=replace(GOOD.standing, drift_mean=0.021)),
     'drift in 10 s of standing'),
    (replace(GOOD, pushes=(GOOD.pushes[0], ladder('other', weak=(1.5,), survived=8))),
     'kicks of 1.5, 2.5, 3.0 m/s survived, of 10'),
    (cheaper(0, cost_of_transport=0.451), 'cost of transport at 0.5, 1.0 m/s'),
    (cheaper(1, cost_of_transport=0.451), 'cost of transport at 0.5, 1.0 m/s'),
    (cheaper(1, cost_of_transport=None, falls=1), 'cost of transport at 0.5, 1.0 m/s'),
    (replace(GOOD, economy=GOOD.economy[:1]), 'cost of transport at 0.5, 1.0 m/s'),
    (cheaper(0, foot_slip=0.041), 'foot slip at 0.5 m/s'),
    (cheaper(0, target_rate=2.51), 'RMS change of leg and waist targets at 0.5 m/s'),
    (cheaper(0, feet_force=2.41), 'force on both feet at 0.5 m/s, 99.5th percentile'),
    (replace(GOOD, situations=FALLEN), 'disturbed runs survived, of 18'),
    (replace(GOOD, ice=replace(GOOD.ice, falls=2)), 'falls at friction 0.2, of 3'),
    (replace(GOOD, led_arms=replace(TOUR, time_up=29.9)), '60 s tour, arms led: mean time up')])
def test_each_line_fails_alone(figures, name):
    assert failed(figures) == [name]


def test_the_tour_of_a_robot_without_arms_is_its_own():
    assert failed(replace(GOOD, led_arms=None)) == []
    assert failed(replace(GOOD, led_arms=None, own_arms=replace(TOUR, time_up=29.9))) == [
        '60 s tour, arms led: mean time up']


def test_a_robot_that_lies_neither_stands_still_nor_walks_softly():
    lying = replace(cheaper(0, cost_of_transport=None, foot_slip=0.0, target_rate=0.0,
                            feet_force=0.0),
                    standing=replace(GOOD.standing, falls=1, drift_mean=0.0))
    assert failed(lying) == [
        'drift in 10 s of standing', 'cost of transport at 0.5, 1.0 m/s', 'foot slip at 0.5 m/s',
        'RMS change of leg and waist targets at 0.5 m/s',
        'force on both feet at 0.5 m/s, 99.5th percentile']


def test_a_line_is_led_at_its_lead_and_not_before():
    name = 'mean velocity error, 12 commands'
    assert verdicts(replace(GOOD, mean_linear_error=0.035))[name] == 'leads'
    assert verdicts(replace(GOOD, mean_linear_error=0.0351))[name] == 'pass'
    card = make_scorecard(replace(GOOD, mean_linear_error=0.035), SETTING)
    assert card.lines_led == make_scorecard(GOOD, SETTING).lines_led + 1


def test_the_weakest_group_counts_on_every_rung():
    strong = replace(GOOD, pushes=(ladder('a', weak=()), ladder('b', weak=(3.0,), survived=9)))
    (line,) = (it for it in make_scorecard(strong, SETTING).criteria if 'kicks' in it.name)
    assert line.measured == (10.0, 10.0, 9.0) and line.leads


def test_fewer_kicks_are_counted_as_of_ten():
    rungs = tuple(Rung(speed=speed, runs=2, survived=1) for speed in FULL.push_speeds)
    quick = replace(GOOD, pushes=(replace(GOOD.pushes[0], rungs=rungs),))
    (line,) = (it for it in make_scorecard(quick, SETTING).criteria if 'kicks' in it.name)
    assert line.measured == (5.0, 5.0, 5.0) and not line.passed


def test_values_are_shown_in_a_row():
    assert shown((9.0, None, 0.04567)) == '9 / - / 0.0457'


def test_json_round_trip(tmp_path):
    card = make_scorecard(GOOD, SETTING)
    text = card.to_json()
    assert Scorecard.from_json(text, 'text') == card
    (tmp_path / 'scorecard.json').write_text(text)
    assert read_scorecard(tmp_path / 'scorecard.json') == card
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert '"command": [0.5, 0.0, 0.0]' in text


def test_figures_are_rounded_to_four_digits_and_judged_as_written():
    card = make_scorecard(replace(GOOD, mean_linear_error=0.06000001), SETTING)
    assert card.figures.mean_linear_error == 0.06 and card.passed


def test_a_scorecard_whose_verdict_was_edited_is_refused():
    text = make_scorecard(replace(GOOD, mean_yaw_error=1.0), SETTING).to_json()
    with pytest.raises(ConfigError, match='passed is True, which its criteria contradict'):
        Scorecard.from_json(text.replace('\n  "passed": false', '\n  "passed": true'), 'text')


@pytest.mark.parametrize('text', ['{', '[]', '{"passed": true}'])
def test_what_is_no_scorecard_is_refused(text):
    with pytest.raises(ConfigError, match=r'scorecard\.json'):
        Scorecard.from_json(text, 'scorecard.json')


@pytest.mark.parametrize('figures', [GOOD, replace(GOOD, led_arms=None, dead_zone=None)])
def test_the_picture_is_drawn(tmp_path, figures):
    pytest.importorskip('matplotlib')
    from humanoid_locomotion.evaluation.plots.comparison_plot import draw_field
    from humanoid_locomotion.evaluation.plots.plots import draw
    paths = np.random.default_rng(0).normal(0.0, 0.01, (50, 3, 2))
    card = make_scorecard(figures, SETTING)
    draw(card, paths, tmp_path / 'scorecard.png')
    draw_field(card, tmp_path / 'field.png')
    assert all(path.read_bytes()[:4] == b'\x89PNG' for path in tmp_path.iterdir())


def test_the_picture_against_the_field_shows_every_figure_that_is_judged(tmp_path, monkeypatch):
    pytest.importorskip('matplotlib')
    from humanoid_locomotion.evaluation.plots import comparison_plot
    pages = []
    make = comparison_plot.new_figure
    monkeypatch.setattr(comparison_plot, 'new_figure',
                        lambda size: pages.append(make(size)) or pages[-1])
    comparison_plot.draw_field(make_scorecard(GOOD, SETTING), tmp_path / 'field.png')
    kicks, linear, turning = pages[0].axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in kicks.lines}
    assert drawn['gate'] == [[1.5, 9.0]]
    assert drawn['lead'] == [[1.5, 10.0], [2.5, 10.0], [3.0, 9.0]]
    assert drawn['best public: robomimic'] == [[1.5, 10.0], [2.5, 10.0], [3.0, 8.0]]
    assert drawn['standing, sideways: 0.90'][-2:] == [[3.0, 6.0], [3.5, 6.0]]
    for axes, levels in ((linear, [0.04, 0.06, 0.041, 0.035]),
                         (turning, [0.02, 0.03, 0.011, 0.01])):
        assert [line.get_ydata()[0] for line in axes.lines] == levels
        assert [bar.get_height() for bar in axes.patches] == [0.02] * len(COMMANDS)


def test_a_scorecard_of_protocol_3_can_be_read():
    card = make_scorecard(GOOD, SETTING)
    text = json.loads(card.to_json())
    for walk in text['figures']['economy']:
        del walk['target_rate'], walk['feet_force']
        walk.update(action_rate=1.5, peak_force=1.7)
    del text['setting']['network_alone']
    old = Scorecard.from_json(json.dumps(text), 'old')
    assert old.criteria == card.criteria and old.setting == card.setting
    assert old.figures.economy[0].peak_force == 1.7
    assert old.figures.economy[0].feet_force is None
