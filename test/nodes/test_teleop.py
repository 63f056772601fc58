"""Keys become velocity commands, by the rules and through a terminal and topics."""

import contextlib
import os
import pty
import subprocess
import sys
import time

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Twist
from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.nodes import qos
from humanoid_locomotion.nodes.executor import make_executor
from humanoid_locomotion.nodes.teleop import MOVES, press, split_keys

pytestmark = pytest.mark.ros
LIMITS = CommandLimits((-0.5, 1.0), (-0.4, 0.4), (-0.8, 0.8))


def pressed(*keys):
    command = np.zeros(3)
    for key in keys:
        command = press(command, key, LIMITS)
    return command


@pytest.mark.parametrize('keys, command', [
    ('ww', [0.2, 0.0, 0.0]), ('s', [-0.1, 0.0, 0.0]), ('qa', [0.0, 0.1, 0.1]),
    ('ed', [0.0, -0.1, -0.1]), ('wwws', [0.0, 0.0, 0.0]), ('wqa ', [0.0, 0.0, 0.0]),
    ('w?z', [0.1, 0.0, 0.0])])
def test_keys_add_up(keys, command):
    np.testing.assert_allclose(pressed(*keys), command)


@given(st.lists(st.sampled_from([*MOVES, ' ', 'y'])))
def test_no_keys_leave_the_limits(keys):
    command = pressed(*keys)
    assert (command >= LIMITS.lower).all() and (command <= LIMITS.upper).all()


def test_an_arrow_is_one_key():
    assert split_keys('w\x1b[Ad\x1b[D') == ['w', '\x1b[A', 'd', '\x1b[D']
    assert split_keys('\x1b') == ['\x1b']


def test_a_terminal_drives_the_robot_and_stands_it_at_the_end(ros):
    robot, executor, heard, stops = Node('robot'), make_executor(), [], []
    executor.add_node(robot)
    robot.create_subscription(Twist, 'cmd_vel', heard.append, qos.VELOCITY_COMMAND)

    def on_stop(_, response):
        stops.append(True)
        response.success, response.message = True, 'fault: emergency stop'
        return response

    robot.create_service(Trigger, 'locomotion/emergency_stop', on_stop)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, '-m', 'humanoid_locomotion', 'teleop'], stdin=theirs, stdout=theirs,
        stderr=theirs, cwd=os.getcwd(), env={**os.environ, 'TERM': 'xterm'})
    os.close(theirs)
    shown = b''

    def until(condition):
        nonlocal shown
        deadline = time.monotonic() + 20.0
        os.set_blocking(ours, False)
        while not condition():
            assert time.monotonic() < deadline and process.poll() is None, shown.decode()
            executor.spin_once(timeout_sec=0.02)
            with contextlib.suppress(BlockingIOError):
                shown += os.read(ours, 4096)

    try:
        until(lambda: b'Ctrl-C end' in shown and robot.count_publishers('cmd_vel'))
        os.write(ours, b'w\x1b[Aa')
        until(lambda: heard and heard[-1].linear.x == 0.2 and heard[-1].angular.z == 0.1)
        os.write(ours, b'x')
        until(lambda: stops and heard[-1].linear.x == 0.0)
        until(lambda: b'fault: emergency stop' in shown)
        os.write(ours, b'w\x03')
        assert process.wait(10.0) == 0
        executor.spin_once(timeout_sec=0.5)
        assert heard[-1].linear.x == 0.0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        executor.shutdown()
        robot.destroy_node()


def test_without_a_terminal_it_is_refused():
    done = subprocess.run([sys.executable, '-m', 'humanoid_locomotion', 'teleop'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60.0,
                          check=False)
    assert done.returncode == 2 and 'standard input is not a terminal' in done.stderr
