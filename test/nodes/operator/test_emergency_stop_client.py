# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""An emergency stop that was pressed is not lost, and not repeated once it was answered."""

import time

import pytest

pytest.importorskip('rclpy')

from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.nodes.operator.emergency_stop_client import REPEAT, SERVICE, EmergencyStop
from humanoid_locomotion.nodes.ros.executor import make_executor

pytestmark = pytest.mark.ros
PATIENCE = 10.0  # [s]


@pytest.fixture
def station(ros):
    """Give an operator's stop, the robot's node, and a way to let both run."""
    operator, robot, executor, shown = Node('operator'), Node('robot'), make_executor(), []
    for node in (operator, robot):
        executor.add_node(node)

    def until(condition, must=True, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                assert not must, shown
                return
            executor.spin_once(timeout_sec=0.02)
    yield EmergencyStop(operator, shown.append), robot, until, shown
    executor.shutdown()
    for node in (operator, robot):
        node.destroy_node()


def serve(robot, answers):
    """Offer the service; give the list of its requests. The last answer stays."""
    requests = []

    def on_stop(_, response):
        response.success = answers[min(len(requests), len(answers) - 1)]
        response.message = 'fault: emergency stop' if response.success else 'not configured'
        requests.append(response.success)
        return response
    robot.create_service(Trigger, SERVICE, on_stop)
    return requests


def test_stop_pressed_before_anybody_offers_it_is_answered_later(station):
    """By a node that starts a moment after, and is not configured at first."""
    stop, robot, until, shown = station
    stop.press()
    until(lambda: False, must=False, seconds=2.5 * REPEAT)
    assert stop.is_pending
    requests = serve(robot, [False, False, True])
    until(lambda: not stop.is_pending)
    assert True in requests and shown[-1] == f'{SERVICE}: fault: emergency stop'
    count = len(requests)
    until(lambda: False, must=False, seconds=3 * REPEAT)
    assert len(requests) == count


def test_who_resets_no_longer_asks_for_a_stop(station):
    """Or the robot would stop again by itself."""
    stop, robot, until, _ = station
    stop.press()
    stop.release()
    requests = serve(robot, [True])
    until(lambda: False, must=False, seconds=3 * REPEAT)
    assert requests == [] and not stop.is_pending
