# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The envelope is the scorecard's, of either protocol, or says why it is not."""

import json

import policy_factory
import pytest

from humanoid_locomotion.core.policy.speed_envelope import measured_envelope

CONTRACT = policy_factory.make_contract()
ROWS = [{'command': [0.5, 0.0, 0.0], 'velocity': [0.48, 0.01, 0.0], 'falls': 0},
        {'command': [1.0, 0.0, 0.0], 'velocity': [0.9, 0.0, 0.0], 'falls': 0},
        {'command': [0.0, 0.0, -0.5], 'velocity': [0.0, 0.0, -0.6], 'falls': 0},
        {'command': [0.5, 0.2, 0.3], 'velocity': [0.1, 0.1, 0.1], 'falls': 0},
        {'command': [-0.5, 0.0, 0.0], 'velocity': [-0.1, 0.0, 0.0], 'falls': 2}]


def card(**figures):
    """Give a scorecard of the contract."""
    return {'setting': {'fingerprint': CONTRACT.fingerprint}, 'more': 1,
            'figures': {'responses': ROWS, **figures}}


def read(content):
    """Give the envelope that a scorecard's text holds."""
    text = content if isinstance(content, str) else json.dumps(content)
    return measured_envelope(CONTRACT, text.encode())


def test_ends_are_what_the_strongest_command_along_an_axis_reached():
    """Scaled to the trained end; ends that were not measured alone stay, falls do not count."""
    envelope = read(card(dead_zone=0.1))
    assert envelope.problem == '' and envelope.dead_zone == 0.1
    assert envelope.reached[0] == pytest.approx((-0.5, 0.9))
    assert envelope.reached[1] == (-0.4, 0.4)
    assert envelope.reached[2] == pytest.approx((-1.2, 1.0))


def test_nav2_is_told_what_is_both_trained_and_reached():
    """A planner must not count on more."""
    smoother = read(card(dead_zone=0.1)).nav2_parameters()[
        'velocity_smoother']['ros__parameters']
    assert smoother['max_velocity'] == [0.9, 0.4, 1.0]
    assert smoother['min_velocity'] == [-0.5, -0.4, -1.0]
    assert smoother['deadband_velocity'][0] == 0.1


def test_first_protocol_has_no_dead_zone():
    """Its scorecards still tell the speeds."""
    envelope = read(card())
    assert envelope.problem == '' and envelope.dead_zone == envelope.threshold


@pytest.mark.parametrize('content, problem', [
    ('', 'is not valid JSON'), ('[]', 'TypeError'), ('{}', "KeyError: 'setting'"),
    ({'setting': {'fingerprint': 'another'}, 'figures': {}}, "belongs to the policy 'another'"),
    ({**card(), 'figures': {'responses': [{'command': [1.0], 'velocity': [1.0]}]}},
     'expected three numbers'),
    ({**card(), 'figures': {'responses': 5}}, 'TypeError')])
def test_what_cannot_be_used_is_said(content, problem):
    """The trained range remains."""
    envelope = read(content)
    assert problem in envelope.problem
    assert envelope.reached == envelope.trained and not envelope.responses


def test_absent_scorecard_is_said():
    """A policy fresh from training has none."""
    envelope = measured_envelope(CONTRACT, None, 'scorecard.json is not there')
    assert envelope.problem == 'scorecard.json is not there'
    assert envelope.reached == envelope.trained


def test_envelope_is_published_as_json():
    """Everything a planner needs."""
    data = json.loads(read(card(dead_zone=0.1)).to_json())
    assert data['axes'] == ['lin_vel_x', 'lin_vel_y', 'ang_vel_z']
    assert data['responses'][1] == {'command': [1.0, 0.0, 0.0], 'velocity': [0.9, 0.0, 0.0]}


LED = {'runs': 16, 'falls': 1, 'time': 60.0, 'time_up': 58.0, 'linear_rms': None}


def test_tested_arm_motion_is_published_if_it_was_tested():
    data = json.loads(read(card(led_arms=LED)).to_json())
    assert data['arm_tours'] == {'runs': 16.0, 'time': 60.0, 'falls': 1.0, 'time_up': 58.0}
    elbow = CONTRACT.joints[CONTRACT.joint_names.index('left_elbow')]
    assert data['arms']['left_elbow'] == pytest.approx(
        [0.5 * (elbow.default + elbow.lower), 0.5 * (elbow.default + elbow.upper)])
    for none in (card(), card(led_arms=None)):
        assert json.loads(read(none).to_json())['arms'] == {}


HUGE = 10 ** 400
FIRST = {'velocity': [0.5, 0.0, 0.0], 'falls': 0}


@pytest.mark.parametrize('figures', [
    {'responses': [{**FIRST, 'command': [HUGE, 0, 0]}]},
    {'responses': [{**FIRST, 'command': [1e300, 0, 0]}]},
    {'responses': [{**FIRST, 'command': ['0.5', 0, 0]}]},
    {'responses': [{**FIRST, 'command': [True, 0, 0]}]},
    {'responses': [{**FIRST, 'command': 'abc'}]},
    {'responses': ROWS, 'led_arms': {**LED, 'falls': -1}},
    {'responses': ROWS, 'led_arms': {**LED, 'time': HUGE}}, {'responses': ROWS, 'led_arms': 5},
    {'responses': ROWS * 100}, {'responses': ROWS, 'dead_zone': -1e9},
    {'responses': ROWS, 'dead_zone': [0.1]}, {'responses': ROWS, 'dead_zone': HUGE}])
def test_figures_that_no_robot_reaches_are_not_published(figures):
    envelope = read({**card(), 'figures': figures})
    assert envelope.problem and envelope.reached == envelope.trained
    json.loads(envelope.to_json(), parse_constant=lambda it: pytest.fail(it))


@pytest.mark.parametrize('text', [
    '[' * 100_000, '{"setting": NaN}', '{"a": 1, "a": 2}', '1e999', '"\\ud800"'])
def test_json_beyond_bounds_is_not_believed(text):
    assert 'is not valid JSON' in read(text).problem


def test_a_command_of_almost_nothing_tells_no_end():
    envelope = read({**card(), 'figures': {'responses': [
        {'command': [5e-324, 0.0, 0.0], 'velocity': [100.0, 0.0, 0.0], 'falls': 0}]}})
    assert envelope.reached == envelope.trained
