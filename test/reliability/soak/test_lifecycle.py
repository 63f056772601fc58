# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle cycles on stubs of node and driver: their order, their failures and the memory."""

import contextlib
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from lifecycle_msgs.msg import Transition

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.soak import lifecycle
from humanoid_locomotion.reliability.soak.lifecycle import (
    CYCLE,
    WARM_UP,
    LifecycleSoak,
    soak_lifecycle,
)

ORDER = [Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP,
         Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE]


class Node:
    """A node with its driver, which changes its state as it is asked.

    Attributes:
        asked: The requested transitions.
        refuses: A transition that does not succeed.
        ignores: A transition that is not answered.
        sticks: A transition after which the state does not change.
    """

    def __init__(self):
        self.asked, self.now, self.state = [], 0.0, 'ramping'
        self.refuses = self.ignores = self.sticks = None
        self.robot = Mock()

    def create_client(self, kind, name):
        assert name == 'locomotion/change_state'
        return self

    def call_async(self, request):
        asked = request.transition.id
        self.asked.append(asked)
        if asked != self.sticks:
            self.state = dict(CYCLE)[asked]
        return SimpleNamespace(
            done=lambda: asked != self.ignores,
            result=lambda: SimpleNamespace(success=asked != self.refuses))

    def spin(self, seconds):
        self.now += seconds

    def until_state(self, state, seconds):
        return self.state == state

    def tail(self):
        return 'last words'


@pytest.fixture
def node(monkeypatch):
    """Return the node, whose time is that of the soak."""
    one = Node()

    @contextlib.contextmanager
    def running_node(folder, spec):
        yield one, one
    monkeypatch.setattr(lifecycle, 'running_node', running_node)
    monkeypatch.setattr(lifecycle, 'time', SimpleNamespace(monotonic=lambda: one.now))
    monkeypatch.setattr(lifecycle, 'resident', lambda node: 100.0 + 0.5 * len(node.asked))
    return one


def test_cycle_goes_from_active_to_active(node):
    soak_lifecycle(None, None, 2)
    assert node.asked == (WARM_UP + 2) * ORDER and node.state == 'ramping'
    assert node.robot.reset.call_count == len(node.asked)


def test_memory_is_compared_after_the_warm_up(node):
    """Each transition takes 0.5 MB here."""
    result = soak_lifecycle(None, None, 2)
    assert result.growth == pytest.approx(2 * len(CYCLE) * 0.5) and result.cycles == 2
    assert result.seconds == pytest.approx(2 * len(CYCLE) * lifecycle.REST)


@pytest.mark.parametrize('growth, passes', [(-1.0, True), (4.9, True), (5.0, False)])
def test_soak_passes_if_memory_does_not_grow(growth, passes):
    assert LifecycleSoak(50, growth, 1.0).passed is passes


@pytest.mark.parametrize('problem, found', [
    ('refuses', "found False and 'unconfigured'"), ('ignores', 'found no answer and'),
    ('sticks', "found True and 'idle'")])
def test_transition_that_fails_ends_the_soak_with_the_log(node, problem, found):
    setattr(node, problem, Transition.TRANSITION_CLEANUP)
    with pytest.raises(LocomotionError) as raised:
        soak_lifecycle(None, None, 1)
    text = str(raised.value)
    assert f'transition {Transition.TRANSITION_CLEANUP}: expected success' in text
    assert "'unconfigured'" in text and found in text and text.endswith('last words')
    assert node.asked == ORDER[:2]


def test_answer_that_does_not_come_is_waited_for_no_longer_than_patience(node):
    node.ignores = Transition.TRANSITION_DEACTIVATE
    with pytest.raises(LocomotionError):
        soak_lifecycle(None, None, 1)
    assert node.now == pytest.approx(lifecycle.PATIENCE, abs=0.02)
