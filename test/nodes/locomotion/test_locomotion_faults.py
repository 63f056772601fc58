# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What damps the robot and stays latched, as a driver sees it."""

import math

import pytest

pytest.importorskip('rclpy')

from rclpy.lifecycle import TransitionCallbackReturn

pytestmark = pytest.mark.ros
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def test_stale_sensors_damp_and_latch(bench):
    """Silence is a fault that only ~/reset ends."""
    one = bench()
    one.stand()
    one.driver.is_silent = True
    one.until_state('fault: joint_states is')
    one.until(lambda: one.is_damped)
    one.driver.is_silent = False
    one.spin(0.2)
    assert one.driver.state.startswith('fault')
    refused = one.call('stand')
    assert not refused.success and 'call ~/reset first' in refused.message
    assert one.call('reset').success
    one.until_state('damping')
    assert one.call('stand').success
    one.until_state('standing')


def test_tilt_is_a_fault(bench):
    """A robot that falls goes limp."""
    one = bench()
    one.stand()
    one.driver.orientation = [math.sin(0.5), 0.0, 0.0, math.cos(0.5)]
    one.until_state('fault: the base tilted by 1.00 rad')
    one.until(lambda: one.is_damped)


def test_emergency_stop_latches_even_while_inactive(bench):
    """It outlives deactivation, and activation refuses it."""
    one = bench()
    one.stand()
    assert one.call('emergency_stop').message == 'fault: emergency stop'
    one.until(lambda: one.is_damped)
    one.node.trigger_deactivate()
    assert one.node.trigger_activate() == FAILURE
    assert one.call('reset').message == 'idle'
    one.until(lambda: not one.node.interface.missing())
    assert one.node.trigger_activate() == SUCCESS
    one.until_state('standing')


def test_crash_in_the_control_loop_damps(bench, monkeypatch):
    """Whatever is raised, the robot goes limp and the reason is shown."""
    one = bench()
    one.stand()

    def crash(*_):
        raise ZeroDivisionError('on purpose')

    monkeypatch.setattr(one.node.interface.machine, 'step', crash)
    one.until_state('fault: ZeroDivisionError: on purpose')
    one.until(lambda: one.is_damped)


def test_frozen_sensor_damps(bench):
    """New stamps on old figures are no measurement."""
    one = bench()
    one.stand()
    one.driver.is_frozen = True
    one.until_state('fault: ')
    assert 'has had the same values for' in one.driver.state
    one.until(lambda: one.is_damped)


def test_second_source_of_a_sensor_damps(bench):
    """Two sources take turns, and neither is the robot."""
    from sensor_msgs.msg import Imu
    one = bench()
    one.stand()
    second = one.driver.create_publisher(Imu, 'imu/data', 1)
    one.until_state('fault: 2 nodes publish imu/data')
    one.driver.destroy_publisher(second)


def test_two_clocks_do_not_flood_the_log(bench):
    """Each jump back is a warning; a second publisher of /clock made thousands."""
    from rcl_interfaces.msg import Log
    from rclpy.qos import qos_profile_rosout_default
    from rosgraph_msgs.msg import Clock

    from humanoid_locomotion.nodes.ros import conversions, qos
    from humanoid_locomotion.nodes.ros.executor import create_wall_timer
    one, lines = bench(use_sim_time=True), []
    one.driver.simulated_time = 10.0
    one.stand()
    one.driver.create_subscription(Log, '/rosout', lines.append,
        qos_profile_rosout_default)
    other = one.driver.create_publisher(Clock, '/clock', qos.SENSOR_OUTPUT)
    create_wall_timer(one.driver, 0.007, lambda: other.publish(
        Clock(clock=conversions.to_stamp(5_000_000_000))))
    one.spin(1.0)
    jumps = [line.msg for line in lines if 'jumped' in line.msg]
    assert 1 <= len(jumps) <= 3
