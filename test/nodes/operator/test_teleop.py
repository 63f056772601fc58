# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keys become velocity commands, by the rules and through a terminal and topics."""

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Twist
from rclpy.node import Node
from std_srvs.srv import Trigger

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.nodes.operator import emergency_stop_client
from humanoid_locomotion.nodes.operator.dead_man import TIMEOUT, DeadMan
from humanoid_locomotion.nodes.operator.teleop import (
    FIRST_PRESS,
    MOVES,
    Keys,
    split_keys,
    velocity,
)
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.executor import make_executor

pytestmark = pytest.mark.ros
LIMITS = CommandSpec.of(
    lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8))
LONGEST = 0.5  # [s] from a key press to standing


class Hand:
    """Keys that are pressed on a keyboard, and a clock."""

    def __init__(self):
        self.now, self.requests = 100.0, []
        self.dead_man, self.request = DeadMan(self.clock), self.requests.append
        self.keys = Keys(self, LIMITS, self.clock)

    def clock(self):
        return self.now

    def press(self, *keys):
        self.keys.read(list(keys))

    def hold(self, key, seconds, delay=0.5, rate=30.0):
        """Hold a key as a keyboard repeats it; return the shares of time it drove and stood."""
        moved, begin, due = [], self.now, [0.0, *np.arange(delay, seconds, 1.0 / rate)]
        while self.now - begin < seconds:
            keys = [key for at in due if at <= self.now - begin]
            del due[:len(keys)]
            self.press(*keys)
            moved.append(self.moves())
            self.now += 0.01
        return np.mean(moved)

    def moves(self):
        command = self.dead_man.command()
        return command is not None and command.any()


@pytest.fixture
def hand():
    return Hand()


@pytest.mark.parametrize('key, sign', [
    ('w', [1, 0, 0]), ('s', [-1, 0, 0]), ('q', [0, 1, 0]), ('e', [0, -1, 0]), ('a', [0, 0, 1]),
    ('d', [0, 0, -1]), ('z', [1, 0, 1]), ('c', [1, 0, -1]), ('\x1b[A', [1, 0, 0])])
def test_a_key_drives_one_way(hand, key, sign):
    hand.press(key)
    command = hand.dead_man.command()
    np.testing.assert_array_equal(np.sign(command), sign)
    np.testing.assert_allclose(command, velocity(key, 0.5, LIMITS))


@given(st.lists(st.sampled_from([*MOVES, '+', '-', ' ', 'y', '?'])))
def test_no_keys_leave_the_limits(keys):
    hand = Hand()
    for key in keys:
        hand.press(key)
        command = hand.dead_man.command()
        assert command is None or (command >= LIMITS.lower).all()
        assert command is None or (command <= LIMITS.upper).all()
    assert 0.1 <= hand.keys.speed <= 1.0


def test_speed_keys_move_nothing(hand):
    hand.press('+')
    assert hand.keys.speed == pytest.approx(0.6) and hand.dead_man.command() is None


@pytest.mark.parametrize('held', [0.01, 0.3, 0.6, 1.0, 3.0])
@pytest.mark.parametrize('delay', [0.25, 0.5, 0.66])
def test_robot_stands_soon_after_the_last_press_however_long_it_was_held(hand, held, delay):
    hand.hold('w', held, delay)
    last = max([0.0, *np.arange(delay, held, 1.0 / 30.0)])
    gone = 0.0
    while hand.moves():
        hand.now, gone = hand.now + 0.01, gone + 0.01
    # With one period until it is published; or it stood before the key was let go.
    assert gone == 0.0 or held - last + gone <= LONGEST - 0.05


def test_a_key_that_is_held_drives_on(hand):
    """All the time on a keyboard that repeats soon; where it repeats late, with one pause."""
    assert hand.hold('w', 5.0, delay=0.25) == 1.0
    hand.now += 2.0
    hand.press()
    assert 5.0 * (1.0 - hand.hold('w', 5.0, delay=0.66)) == pytest.approx(
        0.66 - FIRST_PRESS, abs=0.05)


def test_space_and_every_request_let_go(hand):
    hand.press('w', ' ')
    assert not hand.moves()
    hand.press('w', 'x')
    assert hand.requests == [emergency_stop_client.SERVICE]


def test_keys_that_waited_while_the_process_stood_still_move_nothing_and_still_stop(hand):
    """As after SIGSTOP and SIGCONT, or with a terminal that was stuck."""
    hand.press()
    hand.now += 2.0 * TIMEOUT
    hand.press('w', 'w', 'w', 'x')
    assert not hand.moves() and hand.requests == [emergency_stop_client.SERVICE]
    hand.press('w')
    assert hand.moves()


def test_an_arrow_is_one_key():
    assert split_keys('w\x1b[Ad\x1b[D') == ['w', '\x1b[A', 'd', '\x1b[D']
    assert split_keys('\x1b') == ['\x1b']


class Terminal:
    """A robot's side of the topics, and teleop in a terminal of its own."""

    def __init__(self):
        self.robot, self.executor = Node('robot'), make_executor()
        self.heard, self.stops, self.shown = [], [], b''
        self.executor.add_node(self.robot)
        self.robot.create_subscription(Twist, 'cmd_vel', self.on_command, qos.VELOCITY_COMMAND)
        self.robot.create_service(Trigger, 'locomotion/emergency_stop', self.on_stop)
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'humanoid_locomotion', 'teleop'], stdin=theirs, stdout=theirs,
            stderr=theirs, cwd=os.getcwd(), env={**os.environ, 'TERM': 'xterm'},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0))
        os.close(theirs)
        os.set_blocking(self.ours, False)

    def on_command(self, msg):
        self.heard.append((time.monotonic(), msg.linear.x))

    def on_stop(self, _, response):
        self.stops.append(True)
        response.success, response.message = True, 'fault: emergency stop'
        return response

    def until(self, condition, patience=20.0):
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, self.shown.decode()
            self.executor.spin_once(timeout_sec=0.02)
            with contextlib.suppress(OSError):
                self.shown += os.read(self.ours, 4096)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + 5.0)

    def walk(self):
        """Hold a key until the robot hears of it."""
        self.until(lambda: b'Ctrl-C end' in self.shown and self.robot.count_publishers('cmd_vel'))
        self.until(self.presses('w'))

    def presses(self, key):
        """Return a condition that presses a key as often as it is asked."""
        begun = len(self.heard)

        def condition():
            os.write(self.ours, key.encode())
            return len(self.heard) > begun + 5 and self.heard[-1][1] == pytest.approx(0.5)
        return condition

    def stops_after(self, event):
        """Do something, wait, and return the time until the last command that moves [s]."""
        begin = time.monotonic()
        event()
        self.wait(1.5)
        moving = [at for at, forward in self.heard if forward]
        return moving[-1] - begin

    def close(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.ours)
        self.executor.shutdown()
        self.robot.destroy_node()


@pytest.fixture
def terminal(ros):
    one = Terminal()
    yield one
    one.close()


def test_a_terminal_drives_while_a_key_is_held_and_stops_at_the_end(terminal):
    terminal.walk()
    assert terminal.stops_after(lambda: None) < LONGEST
    quiet = len(terminal.heard)
    assert terminal.heard[-1][1] == 0.0
    terminal.wait(0.5)
    assert len(terminal.heard) == quiet  # others may drive
    os.write(terminal.ours, b'wx\x03')
    assert terminal.process.wait(10.0) == 0
    terminal.until(lambda: terminal.stops)
    assert terminal.heard[-1][1] == 0.0


@pytest.mark.parametrize('event', ['closed', *(pytest.param(
    name, marks=pytest.mark.slow)
    for name in ('SIGHUP', 'SIGTERM', 'SIGINT', 'SIGKILL', 'SIGSTOP'))])
def test_robot_is_asked_to_stand_when_the_terminal_goes(terminal, event):
    """And at once, where teleop can still say so; else cmd_vel_timeout of the node acts."""
    terminal.walk()
    number = getattr(signal, event, None)
    after = terminal.stops_after(
        (lambda: os.close(terminal.ours)) if number is None else
        (lambda: terminal.process.send_signal(number)))
    assert after < LONGEST
    if event not in ('SIGKILL', 'SIGSTOP'):
        assert terminal.heard[-1][1] == 0.0 and terminal.process.wait(10.0) == 0


def test_without_a_terminal_it_is_refused():
    done = subprocess.run([sys.executable, '-m', 'humanoid_locomotion', 'teleop'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60.0,
                          check=False)
    assert done.returncode == 2 and 'standard input is not a terminal' in done.stderr
