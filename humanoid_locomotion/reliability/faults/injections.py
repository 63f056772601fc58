# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fault injections for a fault bench, one function each.

A function that takes a :class:`FaultBench` injects a fault; the others return such a function.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Callable, List, Tuple

import numpy as np
from sensor_msgs.msg import BatteryState, Temperature
from std_msgs.msg import Header

from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench, Filter

JOINT = 3  # the left knee of the shipped robot
JOINTS, IMU, ODOM, CMD = 'joint_states', 'imu/data', 'odom', 'cmd_vel'


def filtered(topic: str, change: Filter) -> Callable[[FaultBench], None]:
    """Replace the filter of a topic's messages."""
    def do(bench: FaultBench) -> None:
        bench.filters[topic] = change
    return do


def edited(topic: str, edit: Callable[[Any], None]) -> Callable[[FaultBench], None]:
    """Edit every message of a topic."""
    def change(msg: Any) -> List[Tuple[Any, float]]:
        edit(msg)
        return [(msg, 0.0)]
    return filtered(topic, change)


def killed(topic: str) -> Callable[[FaultBench], None]:
    """Drop all messages of a topic."""
    return filtered(topic, lambda msg: [])


def delayed(topic: str, seconds: float) -> Callable[[FaultBench], None]:
    """Delay the messages of a topic [s]."""
    return filtered(topic, lambda msg: [(msg, seconds)])


def frozen(topic: str, restamped: bool) -> Callable[[FaultBench], None]:
    """Repeat the same values, with new stamps or the old one."""
    def do(bench: FaultBench) -> None:
        kept: List[Any] = []

        def change(msg: Any) -> List[Tuple[Any, float]]:
            kept.append(msg)
            frozen = copy.deepcopy(kept[0])
            if restamped:
                frozen.header.stamp = msg.header.stamp
            return [(frozen, 0.0)]
        bench.filters[topic] = change
    return do


def put(field: str, index: int, value: float) -> Callable[[Any], None]:
    """Set one element of a field."""
    def edit(msg: Any) -> None:
        getattr(msg, field)[index] = value
    return edit


def rotate_values(msg: Any) -> None:
    """Give every joint the values of the next one."""
    msg.position = list(msg.position[1:]) + [msg.position[0]]
    msg.velocity = list(msg.velocity[1:]) + [msg.velocity[0]]
    msg.effort = list(msg.effort[1:]) + [msg.effort[0]]


def rotate_all(msg: Any) -> None:
    """Reorder the joints, names included."""
    rotate_values(msg)
    msg.name = list(msg.name[1:]) + [msg.name[0]]


def truncate(msg: Any) -> None:
    """Remove the last position."""
    msg.position = list(msg.position[:-1])


def rename(msg: Any) -> None:
    """Rename the last joint."""
    msg.name = [*msg.name[:-1], 'elsewhere']


def repeat_joint(msg: Any) -> None:
    """Repeat the first joint."""
    msg.name = [*msg.name, msg.name[0]]
    msg.position, msg.velocity = [*msg.position, 0.0], [*msg.velocity, 0.0]


def stamped(topic: str, shift: Callable[[float], float]) -> Callable[[FaultBench], None]:
    """Shift stamps by a function [s] of the time since the first one [s]."""
    def do(bench: FaultBench) -> None:
        begin: List[float] = []

        def edit(msg: Any) -> None:
            begin[1:] = [bench.elapsed]
            shifted = conversions.seconds(msg.header.stamp) + shift(begin[-1] - begin[0])
            msg.header.stamp = conversions.to_stamp(round(1e9 * shifted))
        edited(topic, edit)(bench)
    return do


def stamped_once(topic: str, seconds: float) -> Callable[[FaultBench], None]:
    """Shift a single stamp."""
    return stamped(topic, lambda since: seconds if since == 0.0 else 0.0)


def joint_of(bench: FaultBench, start: str) -> str:
    """Return the first joint whose name has a prefix."""
    return next(name for name in bench.robot.joint_names if name.startswith(start))


def dead(joint: str) -> Callable[[FaultBench], None]:
    """Disable a motor."""
    return lambda bench: bench.robot.kill_motor(joint_of(bench, joint))


def swapped(one: str, other: str) -> Callable[[FaultBench], None]:
    """Connect two motors to each other's targets."""
    return lambda bench: bench.robot.swap_motors(joint_of(bench, one), joint_of(bench, other))


def slipped(joint: str, angle: float) -> Callable[[FaultBench], None]:
    """Shift an encoder by an angle [rad]."""
    def do(bench: FaultBench) -> None:
        bench.robot.encoder_offsets[bench.robot.joint_names.index(joint_of(bench, joint))] += angle
    return do


def renamed(bench: FaultBench) -> None:
    """Exchange the names of hip and knee in the joint states."""
    pair = {joint_of(bench, one): joint_of(bench, other) for one, other in (
        ('left_hip_pitch', 'left_knee'), ('left_knee', 'left_hip_pitch'))}

    def edit(msg: Any) -> None:
        msg.name = [pair.get(name, name) for name in msg.name]
    edited(JOINTS, edit)(bench)


def too_much(msg: Any) -> None:
    """Add 0.3 rad to the published knee position; the driver uses the true one."""
    msg.position[JOINT] += 0.3


def drifting(rate: float) -> Callable[[FaultBench], None]:
    """Add a drift [rad/s] to the published knee position; publish no torques."""
    def do(bench: FaultBench) -> None:
        begin = bench.elapsed

        def edit(msg: Any) -> None:
            msg.position[JOINT] += rate * (bench.elapsed - begin)
            msg.effort = []
        edited(JOINTS, edit)(bench)
    return do


def turning(speed: float) -> Callable[[FaultBench], None]:
    """Let the knee's position and velocity agree on a speed that no knee has [rad/s]."""
    def do(bench: FaultBench) -> None:
        begin = bench.elapsed

        def edit(msg: Any) -> None:
            msg.position[JOINT] += speed * (bench.elapsed - begin)
            msg.velocity[JOINT] = speed
        edited(JOINTS, edit)(bench)
    return do


def no_torque(msg: Any) -> None:
    """Publish no torques."""
    msg.effort = []


def temperature(joint: str, degrees: float) -> Callable[[FaultBench], None]:
    """Publish a motor temperature once [deg C]."""
    return lambda bench: bench.loop.condition.take_temperature(Temperature(
        header=Header(frame_id=joint_of(bench, joint)), temperature=degrees), bench.now)


def battery(charge: float) -> Callable[[FaultBench], None]:
    """Publish the battery's state of charge once."""
    return lambda bench: bench.loop.condition.take_battery(
        BatteryState(percentage=charge), bench.now)


def lifted(bench: FaultBench) -> None:
    """Stand, lift the robot off the floor, then request walking."""
    bench.command = (0.0, 0.0, 0.0)
    bench.run(2.0)
    bench.robot.lift(0.4)
    bench.run(1.0)
    bench.command = (0.5, 0.0, 0.0)


def low(msg: Any) -> None:
    """Set the height of the base to 0.3 m."""
    msg.pose.pose.position.z = 0.3


def one_large(action: np.ndarray) -> np.ndarray:
    """Set one action to 1,000."""
    action[:, -1] = 1000.0
    return action


def empty(msg: Any) -> None:
    """Remove all joints."""
    msg.name, msg.position, msg.velocity = [], [], []


def torque(msg: Any) -> None:
    """Set all torques to 500 Nm."""
    msg.effort = [500.0] * len(msg.name)


def scale_velocities(msg: Any) -> None:
    """Convert velocities to another unit."""
    msg.velocity = [100.0 * v for v in msg.velocity]


def degrees(msg: Any) -> None:
    """Convert positions to degrees."""
    msg.position = [math.degrees(v) for v in msg.position]


def no_orientation(msg: Any) -> None:
    """Mark the orientation as not measured."""
    msg.orientation_covariance[0] = -1.0


def zero_quaternion(msg: Any) -> None:
    """Set the quaternion to zeros."""
    q = msg.orientation
    q.x = q.y = q.z = q.w = 0.0


def quaternion_wxyz(msg: Any) -> None:
    """Reorder the quaternion, w first."""
    q = msg.orientation
    q.x, q.y, q.z, q.w = q.w, q.x, q.y, q.z


def nan(*path: str) -> Callable[[Any], None]:
    """Set a nested field to NaN."""
    def edit(msg: Any) -> None:
        for name in path[:-1]:
            msg = getattr(msg, name)
        setattr(msg, path[-1], math.nan)
    return edit


def twice(bench: FaultBench) -> None:
    """Send every message twice."""
    for topic in ('joint_states', 'imu/data'):
        bench.filters[topic] = lambda msg: [(msg, 0.0), (copy.deepcopy(msg), 0.0)]


def second_source(topic: str) -> Callable[[FaultBench], None]:
    """Report two publishers of a topic."""
    return lambda bench: bench.loop.apply('count', bench.now, **{topic: 2})


def late_burst(bench: FaultBench) -> None:
    """Delay half of the joint states, so that they arrive 30 ms after the next ones."""
    count = [0]

    def change(msg: Any) -> List[Tuple[Any, float]]:
        count[0] += 1
        return [(msg, 0.03 if count[0] % 2 else 0.0)]
    bench.filters['joint_states'] = change


def lossy(bench: FaultBench) -> None:
    """Drop four of five messages."""
    random = np.random.default_rng(0)
    for topic in ('joint_states', 'imu/data'):
        bench.filters[topic] = lambda msg: [(msg, 0.0)] if random.random() < 0.2 else []


def policy(answer: Callable[[np.ndarray], np.ndarray]) -> Callable[[FaultBench], None]:
    """Change the action of the policy."""
    def do(bench: FaultBench) -> None:
        controller = bench.loop.machine.controller
        asked = controller._policy
        assert asked is not None  # the controller of a robot has a policy
        controller._policy = lambda obs: answer(asked(obs))
    return do


def crash(_: np.ndarray) -> np.ndarray:
    """Raise like a crashed engine."""
    raise RuntimeError('the engine is gone')


def slow_policy(bench: FaultBench) -> None:
    """Take 150 ms for every control step."""
    bench.on_step = lambda: setattr(bench, 'skip_until', bench.elapsed + 0.15)


def clock(seconds: float) -> Callable[[FaultBench], None]:
    """Change the clock by a time [s]."""
    return lambda bench: setattr(bench, 'offset', bench.offset + seconds)


def stopped(seconds: float) -> Callable[[FaultBench], None]:
    """Give the node no processor time for a duration [s]."""
    return lambda bench: setattr(bench, 'skip_until', bench.elapsed + seconds)


def hog(bench: FaultBench) -> None:
    """Delay the control steps by up to 60 ms."""
    random = np.random.default_rng(0)
    bench.on_step = lambda: setattr(bench, 'skip_until', bench.elapsed + random.uniform(0.0, 0.06))


def pushed(speed: float) -> Callable[[FaultBench], None]:
    """Push the robot by a velocity [m/s]."""
    return lambda bench: bench.robot.push([speed, 0.3 * speed, 0.0])


def request(event: str) -> Callable[[FaultBench], None]:
    """Send a request to the node."""
    return lambda bench: bench.loop.apply(event, bench.now)


def setting(name: str, value: Any) -> Callable[[FaultBench], None]:
    """Set an attribute of the bench."""
    return lambda bench: setattr(bench, name, value)


def both(*actions: Callable[[FaultBench], None]) -> Callable[[FaultBench], None]:
    """Inject several faults at once."""
    def do(bench: FaultBench) -> None:
        for action in actions:
            action(bench)
    return do
