"""The scorecard: written, read back, and a verdict that each gate can fail alone."""

from __future__ import annotations

from dataclasses import replace
import json

import numpy as np
import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.evaluation.protocol import FULL, GATED_COMMANDS, RESPONSE_COMMANDS
from humanoid_locomotion.evaluation.scorecard import (
    Economy,
    Figures,
    PushDirection,
    Pushes,
    Response,
    Scorecard,
    Setting,
    Standing,
    Walking,
    judge,
    make_scorecard,
    read_scorecard,
)

SETTING = Setting(
    protocol=1, quick=False, seed=0, policy='sample', fingerprint='0' * 16, robot='humanoid',
    model_hash_matches=True, simulator='mujoco', versions={'mujoco': '3.0.0'}, timestep=0.002,
    control_period=0.02, wall_time=12.3)


def response(command=(0.5, 0.0, 0.0), **changes):
    """Give a response that is close to its command."""
    made = Response(command=command, velocity=tuple(0.98 * c for c in command),
                    linear_error=0.02, yaw_error=0.02, linear_rms=0.1, yaw_rms=0.1, runs=8,
                    falls=0, gated=command in GATED_COMMANDS)
    return replace(made, **changes)


GOOD = Figures(
    responses=tuple(response(command) for command in RESPONSE_COMMANDS), skipped_commands=(),
    walking=Walking(runs=100, falls=0, time=20.0),
    standing=Standing(runs=32, falls=0, drift_mean=0.01, drift_max=0.02, yaw_drift_mean=0.01,
                      yaw_drift_max=0.02),
    pushes=Pushes(speed=0.6, walking_speed=0.5, survived=0.99, directions=tuple(
        PushDirection(angle=45.0 * i, runs=10, standing=10, walking=9 + i % 2)
        for i in range(8))),
    economy=(Economy(command=0.5, speed=0.49, falls=0, cost_of_transport=0.7,
                     peak_torque_share=0.6, action_rate=2.0, foot_slip=0.03),))


def worse(index, **changes):
    """Give figures with one response changed."""
    responses = list(GOOD.responses)
    responses[index] = replace(responses[index], **changes)
    return replace(GOOD, responses=tuple(responses))


def failed(figures):
    """List the criteria that figures fail."""
    card = make_scorecard(figures, SETTING, FULL)
    names = [criterion.name for criterion in card.criteria if not criterion.passed]
    assert card.passed == (not names)
    return names


def test_good_figures_pass():
    assert failed(GOOD) == []


HALF_AHEAD = RESPONSE_COMMANDS.index((0.5, 0.0, 0.0))
TURNING = RESPONSE_COMMANDS.index((0.0, 0.0, -0.5))
UNGATED = RESPONSE_COMMANDS.index((1.0, 0.0, 0.0))


@pytest.mark.parametrize('figures, name', [
    (replace(GOOD, walking=replace(GOOD.walking, falls=1)), 'falls in random walks'),
    (worse(UNGATED, falls=1), 'falls in steady runs'),
    (replace(GOOD, standing=replace(GOOD.standing, falls=1)), 'falls in steady runs'),
    (replace(GOOD, economy=(replace(GOOD.economy[0], falls=1),)), 'falls in steady runs'),
    (replace(GOOD, standing=replace(GOOD.standing, drift_max=0.05)), 'drift while standing'),
    (replace(GOOD, pushes=replace(GOOD.pushes, survived=0.9437)), 'pushes survived'),
    (worse(HALF_AHEAD, linear_error=0.1), 'velocity error'),
    (worse(TURNING, linear_error=0.2), 'velocity error'),
    (worse(TURNING, yaw_error=0.11), 'turning error'),
    (worse(HALF_AHEAD, yaw_error=0.11), 'turning error')])
def test_each_gate_fails_alone(figures, name):
    assert failed(figures) == [name]


def test_gates_look_only_at_their_commands():
    assert failed(worse(UNGATED, linear_error=0.5, yaw_error=0.5)) == []


def test_a_gate_without_a_trained_command_is_not_passed():
    only_fast = replace(GOOD, responses=(response((1.0, 0.0, 0.0)),))
    assert failed(only_fast) == ['velocity error', 'turning error']
    assert judge(only_fast, FULL)[4].measured is None


def test_exactly_the_share_of_pushes_is_enough():
    assert failed(replace(GOOD, pushes=replace(GOOD.pushes, survived=0.95))) == []


def test_json_round_trip(tmp_path):
    card = make_scorecard(GOOD, SETTING, FULL)
    text = card.to_json()
    assert Scorecard.from_json(text, 'text') == card
    (tmp_path / 'scorecard.json').write_text(text)
    assert read_scorecard(tmp_path / 'scorecard.json') == card
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert '"command": [0.5, 0.0, 0.0]' in text


def test_figures_are_rounded_to_four_digits_and_judged_as_written():
    walked = replace(GOOD, standing=replace(GOOD.standing, drift_max=0.049999999))
    card = make_scorecard(walked, SETTING, FULL)
    assert card.figures.standing.drift_max == 0.05 and not card.passed
    pushed = replace(GOOD, pushes=replace(GOOD.pushes, survived=151 / 159))
    assert make_scorecard(pushed, SETTING, FULL).figures.pushes.survived == 0.9497


def test_a_scorecard_whose_verdict_was_edited_is_refused():
    text = make_scorecard(worse(TURNING, yaw_error=1.0), SETTING, FULL).to_json()
    with pytest.raises(ConfigError, match='passed is True, which its criteria contradict'):
        Scorecard.from_json(text.replace('\n  "passed": false', '\n  "passed": true'), 'text')


@pytest.mark.parametrize('text', ['{', '[]', '{"passed": true}'])
def test_what_is_no_scorecard_is_refused(text):
    with pytest.raises(ConfigError, match=r'scorecard\.json'):
        Scorecard.from_json(text, 'scorecard.json')


@pytest.mark.parametrize('figures', [GOOD, replace(GOOD, responses=(), economy=(),
                                                   skipped_commands=RESPONSE_COMMANDS)])
def test_the_picture_is_drawn(tmp_path, figures):
    pytest.importorskip('matplotlib')
    from humanoid_locomotion.evaluation.report import draw
    paths = np.random.default_rng(0).normal(0.0, 0.01, (50, 3, 2))
    draw(make_scorecard(figures, SETTING, FULL), paths, tmp_path / 'scorecard.png')
    assert (tmp_path / 'scorecard.png').read_bytes()[:4] == b'\x89PNG'
