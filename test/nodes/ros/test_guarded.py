# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whatever a callback of the node raises, the robot is damped and the node goes on."""

import asyncio

import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.nodes.ros.guarded import MAX_REASON, GuardedNode, describe

pytestmark = pytest.mark.ros
WHAT = 'nobody thought of this'


class StrangeError(Exception):
    """An exception that nothing expects, whose text cannot be made."""

    def __str__(self):
        raise RuntimeError('no text')


def fail(*_, **__):
    raise KeyError(WHAT)


@pytest.mark.parametrize('break_it', [
    lambda interface: setattr(interface.loop.sensors, 'take_imu', fail),
    lambda interface: setattr(interface.loop.sensors, 'take_joint_states', fail),
    lambda interface: setattr(interface, '_tick', fail),
    lambda interface: setattr(interface.loop, 'rehearse', fail),
    lambda interface: setattr(interface._timing, 'summary', fail)],
    ids=['imu', 'joint states', 'control step', 'rehearsal', 'diagnostics'])
def test_an_exception_in_a_callback_damps_the_robot(bench, break_it):
    one = bench()
    one.stand()
    break_it(one.node.interface)
    one.until(lambda: one.driver.state.startswith('fault: ') and one.is_damped)
    assert WHAT in one.driver.state
    one.spin(0.1)  # the node lives on, and says the same


def test_an_exception_in_a_velocity_command_damps_the_robot(bench):
    one = bench()
    one.stand()
    one.node.interface.loop.take_command = fail
    one.until(lambda: (one.driver.command(linear_x=0.3),
                       one.driver.state.startswith('fault: cmd_vel: KeyError'))[1])
    assert one.is_damped


def test_an_exception_in_a_request_damps_the_robot_and_is_answered(bench, monkeypatch):
    one = bench()
    one.stand()
    monkeypatch.setattr(one.node.interface.loop, 'walk', fail)
    answer = one.call('walk')
    assert not answer.success and f"~/walk: KeyError: '{WHAT}'" in answer.message
    one.until(lambda: one.driver.state.startswith('fault: ~/walk: KeyError') and one.is_damped)


def test_after_a_reset_the_robot_stands_again(bench):
    one = bench()
    one.stand()
    sensors = one.node.interface.loop.sensors
    sensors.take_imu = fail
    one.until(lambda: one.driver.state.startswith('fault: '))
    del sensors.take_imu
    one.until(lambda: one.call('reset').success and one.call('stand').success)
    one.until_state('standing')


def test_a_node_that_cannot_even_damp_lives_on(bench):
    one = bench()
    one.stand()
    one.node.interface.fault = fail
    one.node.interface.loop.sensors.take_imu = fail
    one.spin(0.2)
    assert one.call('damp').success


def test_a_coroutine_is_guarded_too():
    class Node:
        on_exception = staticmethod(lambda where, reason: caught.append((where, reason)))
        _caught, guarded = GuardedNode._caught, GuardedNode.guarded

    class Response:
        success, message = True, ''

    async def work(request, response):
        raise StrangeError

    caught = []
    response = asyncio.run(Node().guarded(work, 'swap')(None, Response()))
    assert caught == [('swap', 'StrangeError')] and not response.success
    assert response.message == 'swap: StrangeError'


def test_a_reason_is_one_bounded_line():
    assert describe(ValueError('two\nlines')) == 'ValueError: two lines'
    assert describe(StrangeError()) == 'StrangeError'
    assert len(describe(ValueError('x' * 10**7))) < MAX_REASON + 50


def test_an_alarm_that_comes_after_deactivation_is_no_exception(bench):
    """An executor may have taken the timer's event before the timer was destroyed."""
    one = bench()
    one.stand()
    interface = one.node.interface
    interface._is_rehearsed = False
    one.node.trigger_deactivate()
    interface._on_alarm()
    one.until_state('idle')
