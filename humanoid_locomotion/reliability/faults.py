"""The faults, in one table: what is done to a rig, and what the node may do about it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
import math
from typing import Any, Callable, List, Tuple

import numpy as np

from humanoid_locomotion.reliability.rig import Filter, Rig

DAMP, STAND, NONE, DRIVER = 'damp', 'stand', 'go on', 'driver damps'
JOINT = 3  # the left knee of the shipped robot


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: What.
        do: Does it to a rig.
        standing: What may be done about it while the robot stands.
        walking: What may be done about it while it walks.
    """

    name: str
    do: Callable[[Rig], None]
    standing: Tuple[str, ...] = (DAMP,)
    walking: Tuple[str, ...] = (DAMP,)


def _filter(topic: str, change: Filter) -> Callable[[Rig], None]:
    def do(rig: Rig) -> None:
        rig.filters[topic] = change
    return do


def _edit(topic: str, edit: Callable[[Any], None]) -> Callable[[Rig], None]:
    def change(msg: Any) -> List[Tuple[Any, float]]:
        edit(msg)
        return [(msg, 0.0)]
    return _filter(topic, change)


def _killed(topic: str) -> Callable[[Rig], None]:
    return _filter(topic, lambda msg: [])


def _delayed(topic: str, seconds: float) -> Callable[[Rig], None]:
    return _filter(topic, lambda msg: [(msg, seconds)])


def _frozen(topic: str, restamped: bool) -> Callable[[Rig], None]:
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


def _put(field: str, index: int, value: float) -> Callable[[Any], None]:
    def edit(msg: Any) -> None:
        getattr(msg, field)[index] = value
    return edit


def _rotate_values(msg: Any) -> None:
    msg.position = list(msg.position[1:]) + [msg.position[0]]
    msg.velocity = list(msg.velocity[1:]) + [msg.velocity[0]]


def _rotate_all(msg: Any) -> None:
    _rotate_values(msg)
    msg.name = list(msg.name[1:]) + [msg.name[0]]


def _truncate(msg: Any) -> None:
    msg.position = list(msg.position[:-1])


def _rename(msg: Any) -> None:
    msg.name = [*msg.name[:-1], 'elsewhere']


def _repeat_joint(msg: Any) -> None:
    msg.name = [*msg.name, msg.name[0]]
    msg.position, msg.velocity = [*msg.position, 0.0], [*msg.velocity, 0.0]


def _empty(msg: Any) -> None:
    msg.name, msg.position, msg.velocity = [], [], []


def _torque(msg: Any) -> None:
    msg.effort = [500.0] * len(msg.name)


def _scale_velocities(msg: Any) -> None:
    msg.velocity = [100.0 * v for v in msg.velocity]


def _degrees(msg: Any) -> None:
    msg.position = [math.degrees(v) for v in msg.position]


def _no_orientation(msg: Any) -> None:
    msg.orientation_covariance[0] = -1.0


def _zero_quaternion(msg: Any) -> None:
    q = msg.orientation
    q.x = q.y = q.z = q.w = 0.0


def _quaternion_wxyz(msg: Any) -> None:
    q = msg.orientation
    q.x, q.y, q.z, q.w = q.w, q.x, q.y, q.z


def _nan(*path: str) -> Callable[[Any], None]:
    def edit(msg: Any) -> None:
        for name in path[:-1]:
            msg = getattr(msg, name)
        setattr(msg, path[-1], math.nan)
    return edit


def _twice(rig: Rig) -> None:
    for topic in ('joint_states', 'imu/data'):
        rig.filters[topic] = lambda msg: [(msg, 0.0), (copy.deepcopy(msg), 0.0)]


def _second_source(topic: str) -> Callable[[Rig], None]:
    return lambda rig: rig.loop.apply('count', rig.now, **{topic: 2})


def _late_burst(rig: Rig) -> None:
    """Half of the joint states come 30 ms after their successors."""
    count = [0]

    def change(msg: Any) -> List[Tuple[Any, float]]:
        count[0] += 1
        return [(msg, 0.03 if count[0] % 2 else 0.0)]
    rig.filters['joint_states'] = change


def _lossy(rig: Rig) -> None:
    random = np.random.default_rng(0)
    for topic in ('joint_states', 'imu/data'):
        rig.filters[topic] = lambda msg: [(msg, 0.0)] if random.random() < 0.2 else []


def _policy(answer: Callable[[np.ndarray], np.ndarray]) -> Callable[[Rig], None]:
    def do(rig: Rig) -> None:
        controller = rig.loop.machine.controller
        asked = controller._policy
        assert asked is not None  # a robot's controller has one
        controller._policy = lambda obs: answer(asked(obs))
    return do


def _crash(_: np.ndarray) -> np.ndarray:
    raise RuntimeError('the engine is gone')


def _slow_policy(rig: Rig) -> None:
    rig.on_step = lambda: setattr(rig, 'skip_until', rig.elapsed + 0.15)


def _clock(seconds: float) -> Callable[[Rig], None]:
    return lambda rig: setattr(rig, 'offset', rig.offset + seconds)


def _stopped(seconds: float) -> Callable[[Rig], None]:
    return lambda rig: setattr(rig, 'skip_until', rig.elapsed + seconds)


def _hog(rig: Rig) -> None:
    random = np.random.default_rng(0)
    rig.on_step = lambda: setattr(rig, 'skip_until', rig.elapsed + random.uniform(0.0, 0.06))


def _pushed(speed: float) -> Callable[[Rig], None]:
    return lambda rig: rig.robot.push([speed, 0.3 * speed, 0.0])


def _request(event: str) -> Callable[[Rig], None]:
    return lambda rig: rig.loop.apply(event, rig.now)


def _set(name: str, value: Any) -> Callable[[Rig], None]:
    return lambda rig: setattr(rig, name, value)


def _both(*actions: Callable[[Rig], None]) -> Callable[[Rig], None]:
    def do(rig: Rig) -> None:
        for action in actions:
            action(rig)
    return do


_GO_ON = {'standing': (NONE,), 'walking': (NONE,)}
_COPES = {'standing': (NONE, DAMP), 'walking': (NONE, DAMP)}  # as long as it does not fall
_STANDS = {'standing': (NONE,), 'walking': (STAND,)}
_JOINTS, _IMU, _ODOM, _CMD = 'joint_states', 'imu/data', 'odom', 'cmd_vel'

FAULTS: Tuple[Fault, ...] = (
    *(Fault(f'{topic} killed', _killed(topic)) for topic in (_JOINTS, _IMU, _ODOM)),
    *(Fault(f'{topic} frozen, stamps go on', _frozen(topic, True))
      for topic in (_JOINTS, _IMU, _ODOM)),
    *(Fault(f'{topic} frozen, stamps too', _frozen(topic, False))
      for topic in (_JOINTS, _IMU, _ODOM)),
    *(Fault(f'{topic} {1e3 * delay:.0f} ms late', _delayed(topic, delay),
            **(_COPES if delay <= 0.1 else {}))
      for topic in (_JOINTS, _IMU, _ODOM) for delay in (0.05, 0.1, 0.2)),
    Fault('joint_states: one position NaN', _edit(_JOINTS, _put('position', JOINT, math.nan))),
    Fault('joint_states: one velocity NaN', _edit(_JOINTS, _put('velocity', JOINT, math.nan))),
    Fault('joint_states: one position infinite',
          _edit(_JOINTS, _put('position', JOINT, math.inf))),
    Fault('joint_states: values against other names', _edit(_JOINTS, _rotate_values)),
    Fault('joint_states: another order, names too', _edit(_JOINTS, _rotate_all), **_GO_ON),
    Fault('joint_states: a value missing', _edit(_JOINTS, _truncate)),
    Fault('joint_states: a joint missing', _edit(_JOINTS, _rename)),
    Fault('joint_states: a joint twice', _edit(_JOINTS, _repeat_joint)),
    Fault('joint_states: empty', _edit(_JOINTS, _empty)),
    Fault('joint_states: one joint far beyond its limit',
          _edit(_JOINTS, _put('position', JOINT, -1.0))),
    Fault('joint_states: degrees', _edit(_JOINTS, _degrees)),
    Fault('joint_states: velocities times 100', _edit(_JOINTS, _scale_velocities)),
    Fault('joint_states: torques of 500 Nm', _edit(_JOINTS, _torque)),
    Fault('joint_states: half of them out of order', _late_burst, **_GO_ON),
    Fault('imu/data: orientation marked absent', _edit(_IMU, _no_orientation)),
    Fault('imu/data: orientation all zeros', _edit(_IMU, _zero_quaternion)),
    Fault('imu/data: orientation w first', _edit(_IMU, _quaternion_wxyz)),
    Fault('imu/data: orientation NaN', _edit(_IMU, _nan('orientation', 'x'))),
    Fault('imu/data: angular velocity NaN', _edit(_IMU, _nan('angular_velocity', 'z'))),
    Fault('odom: position NaN', _edit(_ODOM, _nan('pose', 'pose', 'position', 'z'))),
    Fault('every measurement twice', _twice, **_GO_ON),
    Fault('four measurements of five lost', _lossy, **_COPES),
    *(Fault(f'{topic}: a second publisher', _second_source(topic))
      for topic in (_JOINTS, _IMU, _ODOM)),
    Fault('cmd_vel killed', _killed(_CMD), **_STANDS),
    Fault('cmd_vel: one component NaN', _edit(_CMD, _nan('angular', 'x')), **_STANDS),
    Fault('cmd_vel: 100 m/s', _edit(_CMD, lambda msg: setattr(msg.linear, 'x', 100.0)),
          **_GO_ON),
    Fault('cmd_vel: a second publisher', _second_source(_CMD), **_GO_ON),
    Fault('policy: NaN', _policy(lambda a: a * np.nan)),
    Fault('policy: infinity', _policy(lambda a: a + np.inf)),
    Fault('policy: a thousandfold', _policy(lambda a: 1000.0 * np.sign(a))),
    Fault('policy: raises', _policy(_crash)),
    Fault('policy: two actions for one', _policy(lambda a: np.concatenate([a, a], 1))),
    Fault('policy: takes 150 ms', _slow_policy),
    Fault('clock set back by 1 s', _clock(-1.0), standing=(STAND,), walking=(STAND,)),
    Fault('clock set forward by 1 s', _clock(1.0)),
    Fault('clock set forward by 20 ms', _clock(0.02), **_GO_ON),
    Fault('node stopped for 0.5 s (SIGSTOP)', _stopped(0.5)),
    Fault('node stopped for 60 ms', _stopped(0.06), **_GO_ON),
    Fault('node killed (SIGKILL)', _set('is_alive', False), (DRIVER,), (DRIVER,)),
    Fault('processor hogged, steps up to 60 ms late', _hog, **_COPES),
    Fault('joint_command lost on the way', _set('publishes', False), (DRIVER, DAMP),
          (DRIVER, DAMP)),
    Fault('emergency stop', _request('emergency stop')),
    Fault('~/damp', _request('damp')),
    Fault('deactivated', Rig.deactivate),
    Fault('pushed over', _pushed(6.0)),
    Fault('joint_states and imu/data killed together', _both(_killed(_JOINTS), _killed(_IMU))),
)
