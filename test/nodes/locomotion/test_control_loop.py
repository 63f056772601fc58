# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The control loop on a stepped clock: what it holds, refuses and lets go on with."""

import dataclasses

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from sensor_msgs.msg import BatteryState, Temperature
from std_msgs.msg import Header

from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion import diagnostics
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.locomotion.timing import LoopTiming
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench

pytestmark = pytest.mark.ros
ROBOTS = ['humanoid', *(pytest.param(name, marks=pytest.mark.slow)
                        for name in ('unitree_g1', 'unitree_h1'))]


@pytest.fixture
def fault_bench():
    """Give a maker of fault benches, by the policy's name and the node's parameters."""
    made = []

    def make(name='humanoid', **parameters):
        made.append(FaultBench(open_policy(name, 'onnxruntime'), load_robot(name),
                        LocomotionParameters(**parameters)))
        return made[-1]
    yield make
    for one in made:
        one.close()


def statuses(fault_bench):
    """Give the diagnostics by name."""
    return {one.name: one for one in diagnostics.loop_statuses(
        fault_bench.loop, LoopTiming(0.02), LocomotionParameters(), fault_bench.now, True)}


def values(status):
    """Give the values of a status."""
    return {pair.key: pair.value for pair in status.values}


@pytest.mark.parametrize('name', ROBOTS)
def test_a_robot_that_hangs_does_not_walk_until_it_is_let_down(fault_bench, name):
    """Neither by ~/walk nor by a command; on the floor it does, and nothing needs a reset."""
    one = fault_bench(name)
    one.stand()
    one.robot.lift(0.4)
    one.run(1.0)
    one.command = (0.5, 0.0, 0.0)
    one.run(1.0)
    assert one.loop.machine.mode is Mode.STANDING and one.loop.machine.hold == ''
    with pytest.raises(RefusedError, match=r'the feet carry \d+ N of \d+ N: the robot hangs'):
        one.loop.apply('walk', one.now)
    assert 'standing, holds: the feet carry' in statuses(one)['safety'].message
    one.robot.lift(0.0)
    one.run(2.0)
    assert one.loop.machine.mode is Mode.WALKING and not one.is_fallen
    assert one.loop.guard.latched is None


def test_feet_that_a_kick_lifted_for_a_moment_do_not_hang(fault_bench):
    """On rough ground a G1 that was kicked by 2 m/s while it stood was once held back."""
    one = fault_bench()
    one.stand()
    one.robot.lift(0.4)
    one.command = (0.5, 0.0, 0.0)
    one.run(0.1)
    assert one.loop.foot_load() < 0.1 * one.loop.guard.limits.weight
    assert one.loop.guard.trips['hanging'] == 0


@pytest.mark.parametrize('name', ROBOTS)
def test_a_robot_on_the_floor_walks_at_once(fault_bench, name):
    """Let go from the gantry by its first command, and asked for by both ways."""
    one = fault_bench(name)
    one.command = (0.5, 0.0, 0.0)
    one.run(0.1)
    one.loop.activate(one.now)
    one.run(1.0)
    assert one.loop.machine.mode is Mode.WALKING
    assert one.loop.guard.trips['hanging'] == 0
    one.command = (0.0, 0.0, 0.0)
    one.run(1.5)
    one.loop.apply('walk', one.now)
    load = one.loop.foot_load()
    assert 0.6 < load / one.loop.guard.limits.weight < 1.1


@pytest.mark.parametrize('parameters, torques', [({'allow_hanging': True}, True), ({}, False)])
def test_a_robot_that_hangs_walks_where_it_may_or_nobody_can_know(fault_bench, parameters,
                                                                  torques):
    one = fault_bench(**parameters)
    if not torques:
        def without(msg):
            msg.effort = []
            return [(msg, 0.0)]
        one.filters['joint_states'] = without
    one.stand()
    one.robot.lift(0.4)
    one.run(0.5)
    assert (values(statuses(one)['safety'])['feet carry [N]'] == 'not known') is not torques
    one.loop.apply('walk', one.now)
    one.command = (0.5, 0.0, 0.0)
    one.run(0.5)
    assert one.loop.machine.mode is Mode.WALKING


def test_in_a_dry_run_joints_need_not_follow(fault_bench):
    """Nothing moves the robot by what the node computes, and it may hang."""
    one = fault_bench(dry_run=True)
    one.publishes = False
    one.stand()
    one.command = (0.5, 0.0, 0.0)
    one.run(2.0)
    assert one.loop.machine.mode is Mode.WALKING and one.loop.guard.latched is None


def test_a_clock_that_jumps_back_trips_its_rule_once(fault_bench):
    """In the next control step, and not again after the reset; a damped robot needs none."""
    one = fault_bench()
    one.stand()
    one.loop.apply('rewind', one.now, lost=0.5)
    one.run(0.1)
    assert one.loop.guard.latched.rule == 'time jump'
    assert one.loop.guard.trips['time jump'] == 1
    one.loop.apply('reset', one.now, active=True)
    one.run(0.1)
    assert one.loop.guard.latched is None
    one.loop.apply('damp', one.now)
    one.loop.apply('rewind', one.now, lost=0.5)
    one.run(0.1)
    one.loop.apply('stand', one.now)
    one.run(0.1)
    assert one.loop.guard.latched is None


def test_a_clock_that_is_exchanged_trips_it_too(fault_bench):
    """Though nothing tells by how much it jumped."""
    one = fault_bench()
    one.stand()
    one.loop.apply('rewind', one.now, lost=0.0)
    one.run(0.1)
    assert one.loop.guard.latched.rule == 'time jump'


def test_a_second_controller_is_refused_and_damps(fault_bench):
    one = fault_bench()
    one.run(0.1)
    one.loop.apply('count', one.now, joint_command=2)
    with pytest.raises(RefusedError, match='2 nodes publish joint_command'):
        one.loop.activate(one.now)
    one.loop.apply('count', one.now, joint_command=1)
    one.stand()
    one.loop.apply('count', one.now, joint_command=3)
    one.run(0.04)
    assert one.loop.machine.label == 'fault: 3 nodes publish joint_command'


def test_a_hot_motor_stands_until_it_is_cooler(fault_bench):
    """And says so in the diagnostics; what never speaks is not known there."""
    one = fault_bench()
    one.stand()
    assert statuses(one)['motor temperatures'].message == 'not known'
    assert statuses(one)['battery'].message == 'not known'
    knee = Temperature(header=Header(frame_id='left_knee'), temperature=99.0)
    one.loop.condition.take_temperature(knee, one.now)
    one.loop.condition.take_battery(BatteryState(percentage=0.8), one.now)
    one.run(1.0)
    assert one.loop.machine.hold == "motor of joint 'left_knee' is at 99 deg C"
    assert statuses(one)['motor temperatures'].message == '99.0 deg C at most, left_knee'
    assert statuses(one)['motor temperatures'].level == diagnostics.ERROR
    assert statuses(one)['battery'].message == '80 %'
    with pytest.raises(RefusedError, match='99 deg C'):
        one.loop.apply('reset', one.now, active=True)
    assert one.loop.machine.hold
    one.loop.condition.take_temperature(
        Temperature(header=Header(frame_id='left_knee'), temperature=70.0), one.now)
    one.loop.apply('reset', one.now, active=True)
    one.loop.apply('walk', one.now)
    one.run(1.0)
    assert one.loop.machine.hold == ''


def test_legs_that_cannot_be_read_know_no_load(fault_bench):
    """Then there is nothing to measure with, and no rule that hangs."""
    known = fault_bench()
    robot = dataclasses.replace(load_robot('humanoid'), soles=('left_sole', 'nowhere'))
    loop = type(known.loop)(known.folder, robot, LocomotionParameters(), pytest.fail)
    assert loop.foot_load() is None
