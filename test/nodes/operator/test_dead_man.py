# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A motion lasts only while a hand gives fresh signs of life: the laws of the switch."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from humanoid_locomotion.nodes.operator.dead_man import KEPT, TIMEOUT, DeadMan

FORWARD, BACK = np.array([0.4, 0.0, 0.0]), np.array([-0.2, 0.0, 0.0])


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def switch(clock):
    return DeadMan(clock)


def test_nobody_drives_at_first(switch):
    assert switch.command() is None and switch.holder == ''


def test_a_motion_ends_with_the_signs_of_life_in_one_zero_and_then_silence(switch, clock):
    assert switch.hold('a', 1, FORWARD)
    np.testing.assert_array_equal(switch.command(), FORWARD)
    clock.now += 0.99 * TIMEOUT
    np.testing.assert_array_equal(switch.command(), FORWARD)
    clock.now += 0.02 * TIMEOUT
    np.testing.assert_array_equal(switch.command(), np.zeros(3))
    assert switch.command() is None


def test_signs_of_life_prolong_it(switch, clock):
    for _ in range(20):
        assert switch.hold('a', 1, FORWARD)
        clock.now += 0.9 * TIMEOUT
        assert switch.command().any()


def test_a_hand_that_lets_go_stops_at_once_and_may_take_hold_anew(switch):
    switch.hold('a', 1, FORWARD)
    switch.release('a')
    assert not switch.command().any() and switch.command() is None
    assert not switch.hold('a', 1, FORWARD)  # a message that was overtaken
    assert switch.hold('a', 2, BACK)


def test_a_hand_that_was_silent_for_a_moment_goes_on(switch, clock):
    """As on a page that stutters; the robot was asked to stand meanwhile."""
    switch.hold('a', 7, FORWARD)
    clock.now += TIMEOUT
    assert not switch.command().any() and switch.command() is None
    clock.now += 0.9 * KEPT
    assert switch.lost('a') == 0 and switch.holder == 'a'
    assert switch.hold('a', 7, FORWARD) and switch.command().any()


def test_a_hand_that_was_silent_for_long_moves_nothing_again(switch, clock):
    """As when a laptop wakes up with a button still held, for all it knows."""
    switch.hold('a', 7, FORWARD)
    clock.now += TIMEOUT + 1.1 * KEPT
    assert switch.lost('a') == 7 and switch.holder == ''
    assert not switch.hold('a', 7, FORWARD)
    assert not switch.command().any() and switch.command() is None


def test_a_sign_of_life_is_as_old_as_what_it_answers(switch, clock):
    """However late it comes: 0.2 s of the 0.3 s were spent on the way."""
    assert not switch.hold('a', 1, FORWARD, clock.now - 1.1 * TIMEOUT)
    assert switch.hold('a', 1, FORWARD, clock.now - 0.7 * TIMEOUT)
    clock.now += 0.4 * TIMEOUT
    assert not switch.command().any()


def test_one_has_the_control_until_it_let_go_for_a_while(switch, clock):
    switch.hold('a', 1, FORWARD)
    assert not switch.hold('b', 1, BACK)
    np.testing.assert_array_equal(switch.command(), FORWARD)
    switch.release('a')
    clock.now += 0.9 * KEPT
    assert switch.holder == 'a' and not switch.hold('b', 2, BACK)
    clock.now += 0.2 * KEPT
    assert switch.holder == '' and switch.hold('b', 3, BACK)
    assert switch.holder == 'b' and not switch.hold('a', 2, FORWARD)


def test_a_hand_that_was_refused_does_not_take_over_by_holding_on(switch, clock):
    switch.hold('a', 1, FORWARD)
    assert not switch.hold('b', 1, BACK)
    switch.leave('a')
    assert not switch.hold('b', 1, BACK) and switch.lost('b') == 1
    assert switch.hold('b', 2, BACK)


def test_the_control_is_free_at_once_when_its_holder_leaves(switch):
    switch.hold('a', 1, FORWARD)
    switch.leave('a')
    assert not switch.command().any()
    assert switch.holder == '' and switch.hold('b', 1, BACK)
    switch.leave('a')  # leaves nothing behind for whoever drives now
    assert switch.holder == 'b' and switch.hold('b', 1, BACK)


def test_whoever_lets_go_of_nothing_stops_nobody(switch):
    switch.hold('a', 1, FORWARD)
    switch.release('b')
    assert switch.command().any()


def test_after_a_stop_each_hand_must_take_hold_anew(switch):
    switch.hold('a', 1, FORWARD)
    switch.drop()
    assert not switch.command().any() and not switch.hold('a', 1, FORWARD)
    assert switch.command() is None and switch.hold('a', 2, FORWARD)


ACTIONS = st.lists(st.tuples(
    st.sampled_from(['hold', 'release', 'leave', 'drop', 'wait']), st.sampled_from('ab'),
    st.integers(1, 4), st.floats(0.0, 0.5)), max_size=40)


@given(ACTIONS)
def test_there_is_no_motion_without_a_sign_of_life_within_the_timeout(actions):
    """Whatever happens in whatever order; and every motion ends in a zero."""
    clock = Clock()
    switch, last, before = DeadMan(clock), -np.inf, None
    for action, who, grip, number in actions:
        if action == 'hold':
            seen = clock.now - number
            if switch.hold(who, grip, FORWARD, seen):
                last = max(last, seen)
        elif action == 'wait':
            clock.now += number
        elif action == 'drop':
            switch.drop()
        else:
            getattr(switch, action)(who)
        command = switch.command()
        if command is not None and command.any():
            assert clock.now < last + TIMEOUT and switch.holder
        else:
            assert before is None or not before.any() or command is not None
        before = command
