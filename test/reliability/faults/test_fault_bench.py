# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fault bench on stubs of robot and control loop: when what arrives, runs and is commanded."""

from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.reliability.faults import fault_bench
from humanoid_locomotion.reliability.faults.fault_bench import BEGIN, TICK, FaultBench

JOINTS = ('left_knee', 'right_knee')
HEIGHT, PERIOD = 1.0, 4  # [m], ticks of a control step
STIFF, DAMPED = np.ones((2, 3)), np.zeros((2, 3))


class Robot:
    """A robot that stands where it is put and records what it is told."""

    def __init__(self, *given):
        self.start, self.pulls, self.told, self.gains = np.zeros(3), True, [], []
        self.base_position = np.array([[0.0, 0.0, HEIGHT]])
        self.base_orientation = np.array([[0.0, 0.0, 0.0, 1.0]])
        self.level, self.steps, self.is_closed = 0.0, 0, False

    def state(self):
        return self

    def ground(self):
        return self.level

    def reset(self):
        self.base_position[0, :2] = self.start[:2]

    def step(self):
        self.steps += 1

    def set_gains(self, gains):
        self.gains.append(gains)

    def command(self, names, positions):
        assert names == JOINTS
        self.told.append(positions.tolist())

    def close(self):
        self.is_closed = True


class Measurements:
    """One reused message for each topic, which counts the measurements."""

    def __init__(self, robot, *frames):
        self.joint_states, self.imu, self.odom = JointState(position=[0.0]), Imu(), None

    def take(self, stamp):
        self.joint_states.position[0] += 1.0
        for msg in (self.joint_states, self.imu):
            msg.header.stamp = stamp


class Loop:
    """A control loop that records its calls with the clock, and gives the same targets."""

    def __init__(self, *given):
        self.arrived, self.steps, self.events = [], [], []
        self.targets = np.array([0.1, 0.2], np.float32)
        self.sensors = SimpleNamespace(
            channels=('joint_states', 'imu/data'), take_odom=Mock(),
            state=SimpleNamespace(joint_positions=np.array([[0.5, 0.6]], np.float32)),
            take_joint_states=lambda msg, now: self.arrived.append(('joint_states', msg, now)),
            take_imu=lambda msg, now: self.arrived.append(('imu/data', msg, now)))
        self.machine = SimpleNamespace(mode=Mode.STANDING, is_stiff=True)
        self.stiff_gains, self.damped_gains = STIFF, DAMPED

    def take_command(self, twist, now, stamp):
        self.arrived.append(('cmd_vel', conversions.velocity_command(twist), stamp))

    def apply(self, event, now):
        self.events.append((event, now))
        self.machine.is_stiff = False

    def step(self, now):
        self.steps.append(now)
        return self.targets

    def weigh(self):
        self.weighed = True

    def counts(self, topic='joint_states'):
        """Return which measurements of the joints arrived, in order."""
        return [round(msg.position[0]) for name, msg, _ in self.arrived if name == topic]


@pytest.fixture
def bench(monkeypatch):
    """Return a bench on the stubs, four ticks a control step."""
    monkeypatch.setattr(fault_bench, 'SimulatedRobot', Robot)
    monkeypatch.setattr(fault_bench, 'Measurements', Measurements)
    monkeypatch.setattr(fault_bench, 'ControlLoop', Loop)
    contract = SimpleNamespace(control_period=PERIOD * TICK, joints=JOINTS, joint_names=JOINTS)
    return FaultBench(SimpleNamespace(contract=contract), SimpleNamespace(base_height=HEIGHT),
                      None, start=(3.0, -2.0, 0.0))


def ticks(bench, count):
    """Run some ticks."""
    bench.run(count * TICK)


def test_robot_begins_at_its_start(bench):
    assert bench.robot.base_position[0].tolist() == [3.0, -2.0, HEIGHT]


def test_physics_and_measurements_every_tick_control_every_fourth(bench):
    ticks(bench, 12)
    assert bench.robot.steps == 12 and bench.loop.counts() == list(range(1, 13))
    assert bench.loop.steps == pytest.approx([BEGIN + n * TICK for n in (4, 8, 12)])
    assert bench.elapsed == pytest.approx(12 * TICK)


def test_velocity_is_commanded_at_20_hz_with_the_stamp_of_its_sending(bench):
    bench.command = (0.5, -0.1, 0.2)
    ticks(bench, 25)
    (_, first, sent), (_, second, later) = [
        one for one in bench.loop.arrived if one[0] == 'cmd_vel']
    assert first == pytest.approx(bench.command) and second == pytest.approx(bench.command)
    assert (sent, later) == pytest.approx((BEGIN + 0.05, BEGIN + 0.1))


def test_topic_that_the_policy_does_not_need_is_not_sent(bench):
    ticks(bench, 4)
    assert 'odom' not in bench.filters and not bench.loop.sensors.take_odom.called


@pytest.mark.parametrize('delay', [1, 3, 8])
def test_late_message_arrives_at_its_tick_as_it_was_sent(bench, delay):
    bench.filters['joint_states'] = lambda msg: [(msg, delay * TICK)]
    ticks(bench, 10)
    assert bench.loop.counts() == list(range(1, 11 - delay))
    for topic, late in (('joint_states', delay * TICK), ('imu/data', 0.0)):
        ages = [now - conversions.seconds(msg.header.stamp)
                for name, msg, now in bench.loop.arrived if name == topic]
        assert ages == pytest.approx([late] * len(ages), abs=1e-6)


def test_edit_of_a_message_does_not_reach_the_sensor(bench):
    def change(msg):
        msg.position[0] += 100.0
        return [(msg, 0.0)]
    bench.filters['joint_states'] = change
    ticks(bench, 3)
    assert bench.loop.counts() == [101, 102, 103]


def test_lost_and_doubled_messages(bench):
    bench.filters.update({'joint_states': lambda msg: [(msg, 0.0), (msg, TICK)],
                          'imu/data': lambda msg: []})
    ticks(bench, 3)
    assert bench.loop.counts() == [1, 1, 2, 2, 3]
    assert bench.loop.counts('imu/data') == []


def test_node_without_processor_time_receives_everything_afterwards(bench):
    ticks(bench, 4)
    bench.skip_until = bench.elapsed + 5 * TICK
    ticks(bench, 4)
    assert bench.loop.counts() == [1, 2, 3, 4] and len(bench.loop.steps) == 1
    ticks(bench, 4)
    assert bench.loop.counts() == list(range(1, 13)) and len(bench.loop.steps) == 2
    assert bench.robot.steps == 12


def test_dead_node_does_nothing_while_the_robot_goes_on(bench):
    bench.is_alive = False
    ticks(bench, 8)
    assert bench.loop.arrived == bench.loop.steps == bench.robot.told == []
    assert bench.robot.steps == 8


def test_clock_that_is_set_moves_stamps_and_steps_but_not_the_time(bench):
    bench.offset = -500.0
    ticks(bench, 4)
    assert bench.elapsed == pytest.approx(0.02)
    assert bench.loop.steps == pytest.approx([BEGIN - 500.0 + 0.02])
    _, msg, _ = bench.loop.arrived[-1]
    assert conversions.seconds(msg.header.stamp) == pytest.approx(BEGIN - 500.0 + 0.02)


def test_hook_is_called_before_each_control_step(bench):
    seen = []
    bench.on_step = lambda: seen.append(len(bench.loop.steps))
    ticks(bench, 12)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize('targets', [
    [0.1, np.nan], [np.inf, 0.2], [0.1], [[0.1, 0.2]], [0.1, 0.2, 0.3]])
def test_targets_that_are_no_command_are_counted_and_kept_from_the_driver(bench, targets):
    bench.loop.targets = np.array(targets)
    ticks(bench, 8)
    assert bench.lost == 2 and bench.robot.told == []


@pytest.mark.parametrize('mode, publishes, told', [
    (Mode.STANDING, True, 2), (Mode.WALKING, True, 2), (Mode.FAULT, True, 2),
    (Mode.IDLE, True, 0), (Mode.STANDING, False, 0)])
def test_targets_reach_the_driver_in_every_mode_but_idle_unless_lost(
        bench, mode, publishes, told):
    bench.loop.machine.mode, bench.publishes = mode, publishes
    ticks(bench, 8)
    assert len(bench.robot.told) == told and bench.lost == 0


def test_gains_are_sent_when_they_change(bench):
    ticks(bench, 12)
    assert len(bench.robot.gains) == 1 and bench.robot.gains[0] is STIFF
    bench.loop.machine.is_stiff = False
    ticks(bench, 8)
    assert len(bench.robot.gains) == 2 and bench.robot.gains[1] is DAMPED


def test_deactivation_leaves_a_command_of_the_present_pose_with_damped_gains(bench):
    bench.deactivate()
    assert bench.loop.events == [('deactivate', BEGIN)]
    assert bench.robot.told == [pytest.approx([0.5, 0.6])]
    assert bench.robot.gains[-1] is DAMPED


def lean(angle):
    """Return an orientation tilted by an angle about y [rad]."""
    return np.array([[0.0, np.sin(angle / 2), 0.0, np.cos(angle / 2)]])


@pytest.mark.parametrize('height, ground, tilt, fallen', [
    (HEIGHT, 0.0, 0.0, False), (HEIGHT, 0.0, 0.9, False), (HEIGHT, 0.0, 1.1, True),
    (HEIGHT, 0.0, -1.1, True), (0.7, 0.0, 0.0, False), (0.5, 0.0, 0.0, True),
    (HEIGHT, 0.5, 0.0, True), (0.5, -0.5, 0.0, False)])
def test_robot_has_fallen_if_it_tilts_or_is_low_above_the_ground(
        bench, height, ground, tilt, fallen):
    bench.robot.base_position[0, 2], bench.robot.level = height, ground
    bench.robot.base_orientation = lean(tilt)
    assert bench.is_fallen is fallen


def test_robot_is_damped_if_its_driver_does_not_pull(bench):
    assert not bench.is_damped
    bench.robot.pulls = False
    assert bench.is_damped


def test_closed_bench_frees_the_simulator(bench):
    bench.close()
    assert bench.robot.is_closed
