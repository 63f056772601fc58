"""What can be done to a rig: the ways in which something goes wrong, each as one function.

A function that takes a :class:`Rig` does it; the others return one that does.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Callable, List, Tuple

import numpy as np
from sensor_msgs.msg import BatteryState, Temperature
from std_msgs.msg import Header

from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.reliability.faults.fault_bench import Filter, Rig

JOINT = 3  # the left knee of the shipped robot
JOINTS, IMU, ODOM, CMD = 'joint_states', 'imu/data', 'odom', 'cmd_vel'


def filtered(topic: str, change: Filter) -> Callable[[Rig], None]:
    """Change what becomes of a topic's messages."""
    def do(rig: Rig) -> None:
        rig.filters[topic] = change
    return do


def edited(topic: str, edit: Callable[[Any], None]) -> Callable[[Rig], None]:
    """Change every message of a topic."""
    def change(msg: Any) -> List[Tuple[Any, float]]:
        edit(msg)
        return [(msg, 0.0)]
    return filtered(topic, change)


def killed(topic: str) -> Callable[[Rig], None]:
    """Let no message of a topic arrive."""
    return filtered(topic, lambda msg: [])


def delayed(topic: str, seconds: float) -> Callable[[Rig], None]:
    """Let a topic's messages arrive late."""
    return filtered(topic, lambda msg: [(msg, seconds)])


def frozen(topic: str, restamped: bool) -> Callable[[Rig], None]:
    """Send the same figures again and again, with new stamps or the old one."""
    def do(rig: Rig) -> None:
        kept: List[Any] = []

        def change(msg: Any) -> List[Tuple[Any, float]]:
            kept.append(msg)
            frozen = copy.deepcopy(kept[0])
            if restamped:
                frozen.header.stamp = msg.header.stamp
            return [(frozen, 0.0)]
        rig.filters[topic] = change
    return do


def put(field: str, index: int, value: float) -> Callable[[Any], None]:
    """Write one figure of a field."""
    def edit(msg: Any) -> None:
        getattr(msg, field)[index] = value
    return edit


def rotate_values(msg: Any) -> None:
    """Give every joint the figures of its successor."""
    msg.position = list(msg.position[1:]) + [msg.position[0]]
    msg.velocity = list(msg.velocity[1:]) + [msg.velocity[0]]
    msg.effort = list(msg.effort[1:]) + [msg.effort[0]]


def rotate_all(msg: Any) -> None:
    """Send the joints in another order."""
    rotate_values(msg)
    msg.name = list(msg.name[1:]) + [msg.name[0]]


def truncate(msg: Any) -> None:
    """Leave the last position out."""
    msg.position = list(msg.position[:-1])


def rename(msg: Any) -> None:
    """Call the last joint by another name."""
    msg.name = [*msg.name[:-1], 'elsewhere']


def repeat_joint(msg: Any) -> None:
    """Send the first joint twice."""
    msg.name = [*msg.name, msg.name[0]]
    msg.position, msg.velocity = [*msg.position, 0.0], [*msg.velocity, 0.0]


def stamped(topic: str, shift: Callable[[float], float]) -> Callable[[Rig], None]:
    """Shift stamps by so much [s], a function of the time since the first of them [s]."""
    def do(rig: Rig) -> None:
        begin: List[float] = []

        def edit(msg: Any) -> None:
            begin[1:] = [rig.elapsed]
            shifted = conversions.seconds(msg.header.stamp) + shift(begin[-1] - begin[0])
            msg.header.stamp = conversions.to_stamp(round(1e9 * shifted))
        edited(topic, edit)(rig)
    return do


def stamped_once(topic: str, seconds: float) -> Callable[[Rig], None]:
    """Shift one stamp, and no other."""
    return stamped(topic, lambda since: seconds if since == 0.0 else 0.0)


def joint_of(rig: Rig, start: str) -> str:
    """Return the first joint whose name begins so."""
    return next(name for name in rig.robot.joint_names if name.startswith(start))


def dead(joint: str) -> Callable[[Rig], None]:
    """Let a motor pull no more."""
    return lambda rig: rig.robot.kill_motor(joint_of(rig, joint))


def swapped(one: str, other: str) -> Callable[[Rig], None]:
    """Wire two motors to each other's targets."""
    return lambda rig: rig.robot.swap_motors(joint_of(rig, one), joint_of(rig, other))


def slipped(joint: str, angle: float) -> Callable[[Rig], None]:
    """Let an encoder slip by an angle [rad]."""
    def do(rig: Rig) -> None:
        rig.robot.encoder_offsets[rig.robot.joint_names.index(joint_of(rig, joint))] += angle
    return do


def renamed(rig: Rig) -> None:
    """Let hip and knee change names in what is measured."""
    pair = {joint_of(rig, one): joint_of(rig, other) for one, other in (
        ('left_hip_pitch', 'left_knee'), ('left_knee', 'left_hip_pitch'))}

    def edit(msg: Any) -> None:
        msg.name = [pair.get(name, name) for name in msg.name]
    edited(JOINTS, edit)(rig)


def too_much(msg: Any) -> None:
    """Add 0.3 rad to what the knee measures; the driver knows better."""
    msg.position[JOINT] += 0.3


def drifting(rate: float) -> Callable[[Rig], None]:
    """Add more and more to what the knee measures [rad/s]; measure no torques."""
    def do(rig: Rig) -> None:
        begin = rig.elapsed

        def edit(msg: Any) -> None:
            msg.position[JOINT] += rate * (rig.elapsed - begin)
            msg.effort = []
        edited(JOINTS, edit)(rig)
    return do


def turning(speed: float) -> Callable[[Rig], None]:
    """Let the knee's position and velocity agree on a speed that no knee has [rad/s]."""
    def do(rig: Rig) -> None:
        begin = rig.elapsed

        def edit(msg: Any) -> None:
            msg.position[JOINT] += speed * (rig.elapsed - begin)
            msg.velocity[JOINT] = speed
        edited(JOINTS, edit)(rig)
    return do


def no_torque(msg: Any) -> None:
    """Measure no torques."""
    msg.effort = []


def temperature(joint: str, degrees: float) -> Callable[[Rig], None]:
    """Say once how hot a motor is [deg C]."""
    return lambda rig: rig.loop.condition.take_temperature(Temperature(
        header=Header(frame_id=joint_of(rig, joint)), temperature=degrees), rig.now)


def battery(charge: float) -> Callable[[Rig], None]:
    """Say once how full the battery is."""
    return lambda rig: rig.loop.condition.take_battery(
        BatteryState(percentage=charge), rig.now)


def lifted(rig: Rig) -> None:
    """Stand, be lifted off the floor, and then be told to walk."""
    rig.command = (0.0, 0.0, 0.0)
    rig.run(2.0)
    rig.robot.lift(0.4)
    rig.run(1.0)
    rig.command = (0.5, 0.0, 0.0)


def low(msg: Any) -> None:
    """Put the base to 0.3 m."""
    msg.pose.pose.position.z = 0.3


def one_large(action: np.ndarray) -> np.ndarray:
    """Make one action of 1,000."""
    action[:, -1] = 1000.0
    return action


def empty(msg: Any) -> None:
    """Send no joints at all."""
    msg.name, msg.position, msg.velocity = [], [], []


def torque(msg: Any) -> None:
    """Measure 500 Nm everywhere."""
    msg.effort = [500.0] * len(msg.name)


def scale_velocities(msg: Any) -> None:
    """Send velocities in another unit."""
    msg.velocity = [100.0 * v for v in msg.velocity]


def degrees(msg: Any) -> None:
    """Send positions in degrees."""
    msg.position = [math.degrees(v) for v in msg.position]


def no_orientation(msg: Any) -> None:
    """Mark the orientation as not measured."""
    msg.orientation_covariance[0] = -1.0


def zero_quaternion(msg: Any) -> None:
    """Send a quaternion of zeros."""
    q = msg.orientation
    q.x = q.y = q.z = q.w = 0.0


def quaternion_wxyz(msg: Any) -> None:
    """Send w first."""
    q = msg.orientation
    q.x, q.y, q.z, q.w = q.w, q.x, q.y, q.z


def nan(*path: str) -> Callable[[Any], None]:
    """Write NaN into a field of a field."""
    def edit(msg: Any) -> None:
        for name in path[:-1]:
            msg = getattr(msg, name)
        setattr(msg, path[-1], math.nan)
    return edit


def twice(rig: Rig) -> None:
    """Send everything twice."""
    for topic in ('joint_states', 'imu/data'):
        rig.filters[topic] = lambda msg: [(msg, 0.0), (copy.deepcopy(msg), 0.0)]


def second_source(topic: str) -> Callable[[Rig], None]:
    """Let the graph show two publishers of a topic."""
    return lambda rig: rig.loop.apply('count', rig.now, **{topic: 2})


def late_burst(rig: Rig) -> None:
    """Half of the joint states come 30 ms after their successors."""
    count = [0]

    def change(msg: Any) -> List[Tuple[Any, float]]:
        count[0] += 1
        return [(msg, 0.03 if count[0] % 2 else 0.0)]
    rig.filters['joint_states'] = change


def lossy(rig: Rig) -> None:
    """Lose four messages of five."""
    random = np.random.default_rng(0)
    for topic in ('joint_states', 'imu/data'):
        rig.filters[topic] = lambda msg: [(msg, 0.0)] if random.random() < 0.2 else []


def policy(answer: Callable[[np.ndarray], np.ndarray]) -> Callable[[Rig], None]:
    """Change what the policy answers."""
    def do(rig: Rig) -> None:
        controller = rig.loop.machine.controller
        asked = controller._policy
        assert asked is not None  # a robot's controller has one
        controller._policy = lambda obs: answer(asked(obs))
    return do


def crash(_: np.ndarray) -> np.ndarray:
    """Raise, as an engine that is gone."""
    raise RuntimeError('the engine is gone')


def slow_policy(rig: Rig) -> None:
    """Take 150 ms for every control step."""
    rig.on_step = lambda: setattr(rig, 'skip_until', rig.elapsed + 0.15)


def clock(seconds: float) -> Callable[[Rig], None]:
    """Set the clock by so much [s]."""
    return lambda rig: setattr(rig, 'offset', rig.offset + seconds)


def stopped(seconds: float) -> Callable[[Rig], None]:
    """Give the node no processor for so long [s]."""
    return lambda rig: setattr(rig, 'skip_until', rig.elapsed + seconds)


def hog(rig: Rig) -> None:
    """Give the node the processor late, by up to 60 ms."""
    random = np.random.default_rng(0)
    rig.on_step = lambda: setattr(rig, 'skip_until', rig.elapsed + random.uniform(0.0, 0.06))


def pushed(speed: float) -> Callable[[Rig], None]:
    """Push the robot [m/s]."""
    return lambda rig: rig.robot.push([speed, 0.3 * speed, 0.0])


def request(event: str) -> Callable[[Rig], None]:
    """Ask the node for something."""
    return lambda rig: rig.loop.apply(event, rig.now)


def setting(name: str, value: Any) -> Callable[[Rig], None]:
    """Set an attribute of the rig."""
    return lambda rig: setattr(rig, name, value)


def both(*actions: Callable[[Rig], None]) -> Callable[[Rig], None]:
    """Do several things at once."""
    def do(rig: Rig) -> None:
        for action in actions:
            action(rig)
    return do
