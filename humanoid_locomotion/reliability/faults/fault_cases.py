# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of faults: the injection, and the accepted reactions of the node."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any, Callable, Dict, Tuple

import numpy as np

from humanoid_locomotion.reliability.faults import injections as do
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench
from humanoid_locomotion.reliability.faults.injections import CMD, IMU, JOINT, JOINTS, ODOM

DAMP, STAND, NONE, DRIVER, WALK = 'damp', 'stand', 'go on', 'driver damps', 'walk'


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: Name of the fault.
        do: Injects it into a fault bench.
        standing: Accepted reactions while the robot stands.
        walking: Accepted reactions while it walks.
        rule: The safety rule that must trip, standing or walking; empty if none must.
    """

    name: str
    do: Callable[[FaultBench], None]
    standing: Tuple[str, ...] = (DAMP,)
    walking: Tuple[str, ...] = (DAMP,)
    rule: str = ''


_GO_ON: Dict[str, Any] = {'standing': (NONE,), 'walking': (NONE,)}
# Accepted as long as the robot does not fall.
_COPES: Dict[str, Any] = {'standing': (NONE, DAMP), 'walking': (NONE, DAMP)}
_STANDS: Dict[str, Any] = {'standing': (NONE,), 'walking': (STAND,)}
_STOPS: Dict[str, Any] = {'standing': (STAND,), 'walking': (STAND,)}
# Faults that have no effect on a standing robot.
_WALKING_ONLY: Dict[str, Any] = {'standing': (NONE,), 'walking': (DAMP,)}

SENSORS: Tuple[Fault, ...] = (
    *(Fault(f'{topic} killed', do.killed(topic), rule='sensor silent')
      for topic in (JOINTS, IMU, ODOM)),
    *(Fault(f'{topic} frozen, stamps go on', do.frozen(topic, True), rule='sensor frozen')
      for topic in (JOINTS, IMU, ODOM)),
    *(Fault(f'{topic} frozen, stamps too', do.frozen(topic, False))
      for topic in (JOINTS, IMU, ODOM)),
    *(Fault(f'{topic} {1e3 * delay:.0f} ms late', do.delayed(topic, delay),
            **(_COPES if delay <= 0.1 else {}))
      for topic in (JOINTS, IMU, ODOM) for delay in (0.05, 0.1, 0.2)),
    *(Fault(f'{topic}: stamps 60 ms behind', do.stamped(topic, lambda t: -0.06), **_GO_ON,
            rule='sensor lag') for topic in (JOINTS, IMU, ODOM)),
    *(Fault(f'{topic}: stamps fall behind by 15 ms a second',
            do.stamped(topic, lambda t: -0.015 * t), **_GO_ON, rule='growing lag')
      for topic in (JOINTS, IMU)),
    *(Fault(f'{topic}: stamps 50 ms ahead', do.stamped(topic, lambda t: 0.05), **_GO_ON,
            rule='stamps ahead') for topic in (JOINTS, IMU)),
    *(Fault(f'{topic}: stamps 1,000 s ahead', do.stamped(topic, lambda t: 1000.0),
            rule='sensor silent') for topic in (JOINTS, IMU)),
    *(Fault(f'{topic}: one stamp 1,000 s ahead', do.stamped_once(topic, 1000.0), **_GO_ON)
      for topic in (JOINTS, IMU, CMD)),
    Fault('joint_states: one position NaN',
          do.edited(JOINTS, do.put('position', JOINT, math.nan))),
    Fault('joint_states: one velocity NaN',
          do.edited(JOINTS, do.put('velocity', JOINT, math.nan))),
    Fault('joint_states: one position infinite',
          do.edited(JOINTS, do.put('position', JOINT, math.inf))),
    Fault('joint_states: one velocity beyond single precision',
          do.edited(JOINTS, do.put('velocity', JOINT, 1e39)), rule='not finite'),
    Fault('joint_states: values against other names', do.edited(JOINTS, do.rotate_values)),
    Fault('joint_states: another order, names too', do.edited(JOINTS, do.rotate_all), **_GO_ON),
    Fault('joint_states: a value missing', do.edited(JOINTS, do.truncate)),
    Fault('joint_states: a joint missing', do.edited(JOINTS, do.rename)),
    Fault('joint_states: a joint twice', do.edited(JOINTS, do.repeat_joint)),
    Fault('joint_states: empty', do.edited(JOINTS, do.empty)),
    Fault('joint_states: one joint far beyond its limit',
          do.edited(JOINTS, do.put('position', JOINT, -1.0))),
    Fault('joint_states: degrees', do.edited(JOINTS, do.degrees)),
    Fault('joint_states: velocities times 100', do.edited(JOINTS, do.scale_velocities),
          rule='encoder slip'),
    Fault('left_knee: joint_states show it turning at 30 rad/s', do.turning(30.0),
          rule='joint velocity'),
    Fault('joint_states: torques of 500 Nm', do.edited(JOINTS, do.torque), rule='joint torque'),
    Fault('joint_states: half of them out of order', do.late_burst, **_GO_ON),
    Fault('imu/data: orientation marked absent', do.edited(IMU, do.no_orientation)),
    Fault('imu/data: orientation all zeros', do.edited(IMU, do.zero_quaternion)),
    Fault('imu/data: orientation w first', do.edited(IMU, do.quaternion_wxyz), rule='tilt'),
    Fault('imu/data: orientation NaN', do.edited(IMU, do.nan('orientation', 'x'))),
    Fault('imu/data: angular velocity NaN', do.edited(IMU, do.nan('angular_velocity', 'z'))),
    Fault('imu/data: a frame that the robot has not',
          do.edited(IMU, lambda msg: setattr(msg.header, 'frame_id', 'somewhere')), **_GO_ON,
          rule='unknown frame'),
    Fault('odom: position NaN', do.edited(ODOM, do.nan('pose', 'pose', 'position', 'z'))),
    Fault('odom: 0.3 m high', do.edited(ODOM, do.low), rule='height'),
    Fault('every measurement twice', do.twice, **_GO_ON),
    Fault('four measurements of five lost', do.lossy, **_COPES),
    *(Fault(f'{topic}: a second publisher', do.second_source(topic), rule='two publishers')
      for topic in (JOINTS, IMU, ODOM, '/clock')),
)

# Joints are given by prefix: the first joint of the robot with that prefix.
MOTORS: Tuple[Fault, ...] = (
    Fault('left_knee: motor dead', do.dead('left_knee'), rule='joint does not follow'),
    Fault('left_ankle: motor dead', do.dead('left_ankle'), rule='joint does not follow'),
    Fault('left_hip_pitch: motor dead', do.dead('left_hip_pitch'), **_WALKING_ONLY,
          rule='joint does not follow'),
    Fault('left_knee: motor dead, no torque measured', do.both(do.edited(JOINTS, do.no_torque),
                                                             do.dead('left_knee')),
          rule='joint gives way'),
    Fault('left_knee and right_knee wired to each other', do.swapped('left_knee', 'right_knee'),
          **_WALKING_ONLY, rule='joint does not follow'),
    Fault('left_hip_pitch and left_knee wired to each other',
          do.swapped('left_hip_pitch', 'left_knee'), rule='joint does not follow'),
    Fault('joint_states: left_hip_pitch and left_knee change names', do.renamed),
    *(Fault(f'{joint}: encoder slips by {slip} rad', do.slipped(joint, slip), rule='encoder slip')
      for joint in ('left_knee', 'left_hip_pitch') for slip in (0.3, -0.3)),
    Fault('left_knee: joint_states show 0.3 rad too much', do.edited(JOINTS, do.too_much),
          rule='encoder slip'),
    Fault('left_knee: joint_states drift by -0.5 rad/s, no torque measured',
          do.drifting(-0.5), rule='joint position'),
    Fault('left_knee: motor at 99 deg C', do.temperature('left_knee', 99.0), **_STOPS,
          rule='hot motor'),
    Fault('left_knee: motor at 85 deg C', do.temperature('left_knee', 85.0), **_GO_ON,
          rule='warm motor'),
    Fault('battery at 5 %', do.battery(0.05), **_STOPS, rule='empty battery'),
    Fault('battery at 15 %', do.battery(0.15), **_GO_ON, rule='low battery'),
    Fault('lifted by the base, then told to walk', do.lifted, standing=(NONE,), walking=(STAND,),
          rule='hanging'),
)

FAULTS: Tuple[Fault, ...] = (
    *SENSORS, *MOTORS,
    Fault('joint_command: a second publisher', do.second_source('joint_command'),
          rule='two controllers'),
    Fault('cmd_vel killed', do.killed(CMD), **_STANDS),
    Fault('cmd_vel: one component NaN', do.edited(CMD, do.nan('twist', 'angular', 'x')),
          **_STANDS),
    Fault('cmd_vel: 100 m/s', do.edited(CMD, lambda msg: setattr(msg.twist.linear, 'x', 100.0)),
          standing=(WALK,), walking=(NONE,)),
    Fault('cmd_vel: a second publisher', do.second_source(CMD), **_GO_ON, rule='two commanders'),
    Fault('arm_command: a second publisher', do.second_source('arm_command'), **_GO_ON,
          rule='two arm commanders'),
    Fault('policy: NaN', do.policy(lambda a: a * np.nan), rule='action not finite'),
    Fault('policy: infinity', do.policy(lambda a: a + np.inf), rule='action not finite'),
    Fault('policy: a thousandfold', do.policy(lambda a: 1000.0 * np.sign(a))),
    Fault('policy: one action of 1,000', do.policy(do.one_large), rule='action'),
    Fault('policy: raises', do.policy(do.crash)),
    Fault('policy: two actions for one', do.policy(lambda a: np.concatenate([a, a], 1))),
    Fault('policy: takes 150 ms', do.slow_policy, rule='control period'),
    Fault('clock set back by 1 s', do.clock(-1.0), **_STOPS, rule='time jump'),
    Fault('clock set forward by 1 s', do.clock(1.0)),
    Fault('clock set forward by 20 ms', do.clock(0.02), **_GO_ON),
    Fault('node stopped for 0.5 s (SIGSTOP)', do.stopped(0.5)),
    Fault('node stopped for 60 ms', do.stopped(0.06), **_GO_ON, rule='late step'),
    Fault('node killed (SIGKILL)', do.setting('is_alive', False), (DRIVER,), (DRIVER,)),
    Fault('processor hogged, steps up to 60 ms late', do.hog, **_COPES),
    Fault('joint_command lost', do.setting('publishes', False), (DRIVER, DAMP),
          (DRIVER, DAMP)),
    Fault('emergency stop', do.request('emergency stop')),
    Fault('~/damp', do.request('damp')),
    Fault('deactivated', FaultBench.deactivate),
    Fault('pushed over', do.pushed(6.0)),
    Fault('joint_states and imu/data killed together', do.both(do.killed(JOINTS), do.killed(IMU))),
)
