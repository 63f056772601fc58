# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a page says about its hand is read without trusting it."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.nodes.operator.dead_man import TIMEOUT, DeadMan
from humanoid_locomotion.nodes.operator.viewer_hands import Hands

LIMITS = CommandSpec.of(
    lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8))


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


class Bench:
    """Two pages, and what becomes of what they say."""

    def __init__(self):
        self.clock, self.stops = Clock(), []
        self.dead_man = DeadMan(self.clock)
        self.hands = Hands(self.dead_man, LIMITS, lambda: self.stops.append(1), self.clock)
        for who in 'ab':
            self.hands.join(who)

    def ask(self, who='a'):
        return json.loads(self.hands.ask(who))

    def say(self, who='a', **said):
        self.hands.hear(who, json.dumps(said))

    def drive(self, grip=1, drive=(0.4, 0.0, 0.0), who='a'):
        self.say(who, grip=grip, beat=self.ask(who)['beat'], drive=list(drive))


@pytest.fixture
def bench():
    return Bench()


def test_a_page_is_told_its_name_and_the_limits(bench):
    assert json.loads(bench.hands.join('c')) == {
        'you': 'c', 'lower': [-0.5, -0.4, -0.8], 'upper': [1.0, 0.4, 0.8]}


def test_an_answer_drives_until_no_more_come(bench):
    bench.drive()
    np.testing.assert_allclose(bench.dead_man.command(), [0.4, 0.0, 0.0])
    bench.clock.now += TIMEOUT
    assert not bench.dead_man.command().any() and bench.dead_man.command() is None


def test_an_answer_is_as_old_as_the_question_it_repeats(bench):
    """What a network held back does not move the robot when it arrives, be it ever so regular."""
    beats = []
    for _ in range(40):
        beats.append(bench.ask()['beat'])
        bench.clock.now += 0.05
        if len(beats) > 10:
            bench.say(grip=1, beat=beats[-10], drive=[0.4, 0.0, 0.0])
        assert bench.dead_man.command() is None


def test_a_question_that_was_never_asked_cannot_be_answered(bench):
    beat = bench.ask('b')['beat']
    for guess in (0, beat, beat + 1):
        bench.say('a', grip=1, beat=guess, drive=[0.4, 0.0, 0.0])
    assert bench.dead_man.command() is None


def test_only_the_last_questions_are_kept(bench):
    for _ in range(1000):
        bench.ask()
        bench.clock.now += 0.05
    assert len(bench.hands._asked['a']) <= 1 + TIMEOUT / 0.05


def test_the_command_stays_within_the_limits(bench):
    bench.drive(drive=(9.0, -9.0, 1e15))
    np.testing.assert_allclose(bench.dead_man.command(), [1.0, -0.4, 0.8])


def test_letting_go_is_standing(bench):
    bench.drive()
    bench.say(release=1)
    assert not bench.dead_man.command().any()
    bench.drive(grip=1)
    assert bench.dead_man.command() is None


def test_one_drives_and_the_others_see_who(bench):
    bench.drive(who='a')
    bench.drive(who='b', drive=(-0.4, 0.0, 0.0))
    assert bench.dead_man.command()[0] == 0.4
    assert bench.ask('a')['holder'] == bench.ask('b')['holder'] == 'a'
    assert bench.ask('a')['lost'] == 0 and bench.ask('b')['lost'] == 1
    bench.hands.leave('a')
    assert bench.ask('b')['holder'] == '' and not bench.dead_man.command().any()


def test_everybody_stops_and_is_told_that_it_was_heard(bench):
    bench.drive(who='a')
    bench.say('b', stop=1)
    bench.say('b', stop=2)
    assert len(bench.stops) == 2
    assert bench.ask('b')['stops'] == 2 and bench.ask('a')['stops'] == 0


NUMBER = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
                   st.sampled_from([10 ** 400, -1, 2 ** 53, float('nan'), float('inf')]))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the machine is shared
@given(st.dictionaries(st.sampled_from(['grip', 'beat', 'drive', 'release', 'stop', 'x']),
                       st.one_of(NUMBER, st.lists(NUMBER, max_size=4)), max_size=4))
def test_no_message_does_more_than_drive_within_the_limits(said):
    bench = Bench()
    bench.ask()
    try:
        bench.say(**said)
    except ValueError:
        return
    command = bench.dead_man.command()
    assert command is None or (np.isfinite(command).all() and (command >= LIMITS.lower).all()
                               and (command <= LIMITS.upper).all())


@pytest.mark.parametrize('message', [
    '', '{', '[]', '7', 'null', '{}', '{"stop": true}', '{"stop": -1}', '{"release": "x"}',
    '{"grip": 1, "beat": 1}', '[' * 500, '{"grip": 1, "beat": 1, "drive": [NaN, 0, 0]}',
    '{"grip": 1, "beat": 1, "drive": [1, 0, 0, 0]}',
    '{"grip": 1.0, "beat": 1, "drive": [1, 0, 0]}',
    '{"grip": 1, "beat": 1, "drive": [true, 0, 0]}',
    '{"grip": ' + 400 * '9' + ', "beat": 1, "drive": [1, 0, 0]}',
    '{"grip": 1, "beat": 1, "drive": [1e999, 0, 0]}', '{"grip": 1, "beat": 1, "drive": "0 0 0"}'])
def test_what_no_page_says_is_refused(bench, message):
    bench.ask()
    with pytest.raises(ValueError):
        bench.hands.hear('a', message)
    assert bench.dead_man.command() is None and not bench.stops


def test_the_page_has_a_slider_for_each_velocity_axis():
    page = Bench().hands.html
    for part, title in enumerate(('forward [m/s]', 'left [m/s]', 'turning left [rad/s]')):
        assert f'<label>{title} <input type="range" tabindex="-1" data-part="{part}">' in page
    assert 'sliders -->' not in page
