"""The envelope is the scorecard's, of either protocol, or says why it is not."""

import json

import policy_factory
import pytest

from humanoid_locomotion.core.envelope import read_envelope

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


def read(folder, content):
    """Give the envelope that a scorecard's text holds."""
    (folder / 'scorecard.json').write_text(
        content if isinstance(content, str) else json.dumps(content))
    return read_envelope(folder, CONTRACT)


def test_ends_are_what_the_strongest_command_along_an_axis_reached(tmp_path):
    """Scaled to the trained end; ends that were not measured alone stay, falls do not count."""
    envelope = read(tmp_path, card(dead_zone=0.1))
    assert envelope.problem == '' and envelope.dead_zone == 0.1
    assert envelope.reached[0] == pytest.approx((-0.5, 0.9))
    assert envelope.reached[1] == (-0.4, 0.4)
    assert envelope.reached[2] == pytest.approx((-1.2, 1.0))


def test_nav2_is_told_what_is_both_trained_and_reached(tmp_path):
    """A planner must not count on more."""
    smoother = read(tmp_path, card(dead_zone=0.1)).nav2_parameters()[
        'velocity_smoother']['ros__parameters']
    assert smoother['max_velocity'] == [0.9, 0.4, 1.0]
    assert smoother['min_velocity'] == [-0.5, -0.4, -1.0]
    assert smoother['deadband_velocity'][0] == 0.1


def test_first_protocol_has_no_dead_zone(tmp_path):
    """Its scorecards still tell the speeds."""
    envelope = read(tmp_path, card())
    assert envelope.problem == '' and envelope.dead_zone == envelope.threshold


@pytest.mark.parametrize('content, problem', [
    ('', 'JSONDecodeError'), ('[]', 'TypeError'), ('{}', "KeyError: 'setting'"),
    ({'setting': {'fingerprint': 'another'}, 'figures': {}}, "of the policy 'another'"),
    ({**card(), 'figures': {'responses': [{'command': [1.0], 'velocity': [1.0]}]}}, 'ValueError'),
    ({**card(), 'figures': {'responses': 5}}, 'TypeError')])
def test_what_cannot_be_used_is_said(tmp_path, content, problem):
    """The trained range remains."""
    envelope = read(tmp_path, content)
    assert problem in envelope.problem
    assert envelope.reached == envelope.trained and not envelope.responses


def test_absent_scorecard_is_said(tmp_path):
    """A policy fresh from training has none."""
    assert 'FileNotFoundError' in read_envelope(tmp_path, CONTRACT).problem


def test_envelope_is_published_as_json(tmp_path):
    """Everything a planner needs."""
    data = json.loads(read(tmp_path, card(dead_zone=0.1)).to_json())
    assert data['axes'] == ['lin_vel_x', 'lin_vel_y', 'ang_vel_z']
    assert data['responses'][1] == {'command': [1.0, 0.0, 0.0], 'velocity': [0.9, 0.0, 0.0]}
