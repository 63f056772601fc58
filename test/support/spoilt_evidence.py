# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The evidence of a robot that is well, and a way to spoil it for every rule."""

import math

import numpy as np
import policy_factory

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.safety.evidence import Evidence, SafetyLimits, Topic
from humanoid_locomotion.core.safety.joint_tracking import Tracking
from humanoid_locomotion.core.safety.rules import RULES
from humanoid_locomotion.core.state import RobotState

CONTRACT = policy_factory.make_contract()
KNEE = CONTRACT.joint_names.index('left_knee')
PERIOD = CONTRACT.control_period


def limits(**changes):
    """Give limits for the humanoid."""
    figures = {'sensor_timeout': 0.1, 'unchanged_timeout': 0.25, 'max_tilt': 0.8,
               'min_height': 0.5, **changes}
    return SafetyLimits.of(CONTRACT, load_robot('humanoid'), 3.0, **figures)


def evidence(now=0.0, **changes):
    """Give the evidence of a robot that is well."""
    state = RobotState(
        CONTRACT.values('default')[None].astype(np.float32),
        np.zeros((1, CONTRACT.num_actions), np.float32),
        np.array([[0.0, 0.0, 0.0, 1.0]], np.float32), np.zeros((1, 3), np.float32),
        np.array([[0.0, 0.0, 0.9]], np.float32))
    given = {'topics': {'joint_states': Topic(0.01), 'imu/data': Topic(0.01)},
             'action': np.zeros((1, CONTRACT.num_actions), np.float32), 'period': PERIOD,
             'joint_efforts': np.zeros(CONTRACT.num_actions), 'tracking': Tracking(CONTRACT),
             **changes}
    return Evidence(now, state, **given)


def spoil(what, value):
    """Return a function that makes one value of the evidence wrong."""
    def change(e):
        if what in ('joint_positions', 'joint_velocities'):
            getattr(e.state, what)[0, KNEE] = value
        elif what == 'base_position':
            e.state.base_position[0, 2] = value
        elif what == 'tilt':
            e.state.base_orientation[0] = [math.sin(value / 2), 0.0, 0.0, math.cos(value / 2)]
        elif what in ('age', 'unchanged', 'publishers'):
            setattr(e.topics['imu/data'], what, value)
        elif what in ('action', 'joint_efforts'):
            np.atleast_2d(getattr(e, what))[0, KNEE] = value
        elif what == 'nan rate':
            e.state.base_angular_velocity[0, 1] = math.nan
        elif what in ('lag', 'lag_growth', 'unknown_frame'):
            setattr(e.topics['imu/data'], what, value)
        elif what in ('torque_error', 'giving_way'):
            getattr(e.tracking, what)[KNEE] = value
            e.joint_efforts = None if what == 'giving_way' else e.joint_efforts
        elif what in ('encoder_slip', 'temperatures'):
            setattr(e, what, np.full(CONTRACT.num_actions, 0.0))
            getattr(e, what)[KNEE] = value
        else:
            setattr(e, what, value)
    return change


# Rule, what is wrong, and how the reason begins.
CASES = [
    ('not finite', spoil('joint_positions', math.nan), "position of joint 'left_knee' is nan"),
    ('not finite', spoil('joint_velocities', math.inf), "velocity of joint 'left_knee' is inf"),
    ('not finite', spoil('nan rate', 0.0), 'angular velocity of the base is not finite'),
    ('sensor silent', spoil('age', 0.2), 'imu/data is 0.20 s old'),
    ('sensor silent', spoil('age', math.inf), 'no imu/data'),
    ('sensor silent', spoil('age', math.nan), 'imu/data is nan s old'),
    ('sensor frozen', spoil('unchanged', 0.3), 'imu/data has had the same values for 0.30 s'),
    ('two publishers', spoil('publishers', 2), '2 nodes publish imu/data'),
    ('tilt', spoil('tilt', 1.0), 'the base tilted by 1.00 rad'),
    ('height', spoil('base_position', 0.3), 'the base is at 0.30 m'),
    ('joint position', spoil('joint_positions', -0.2), "position of joint 'left_knee' is -0.20"),
    ('joint position', spoil('joint_positions', 2.6), "position of joint 'left_knee' is 2.60 rad"),
    ('joint velocity', spoil('joint_velocities', -16.0),
     "velocity of joint 'left_knee' is -16.00 rad/s"),
    ('joint torque', spoil('joint_efforts', 200.0), "torque of joint 'left_knee' is 200.00 Nm"),
    ('joint does not follow', spoil('torque_error', 20.0),
     "joint 'left_knee' does not follow: its torque is 20.0 Nm off the 0.0 Nm"),
    ('joint does not follow', spoil('torque_error', math.nan), "joint 'left_knee' does not"),
    ('joint gives way', spoil('giving_way', 1.5), "joint 'left_knee' gives way to a load"),
    ('encoder slip', spoil('encoder_slip', -0.3), "position of joint 'left_knee' changed by -0.3"),
    ('hanging', spoil('foot_load', -30.0), 'the feet carry 0 N of 444 N: the robot hangs'),
    ('hot motor', spoil('temperatures', 96.0), "motor of joint 'left_knee' is at 96 deg C"),
    ('warm motor', spoil('temperatures', 81.0), "motor of joint 'left_knee' is at 81 deg C"),
    ('empty battery', spoil('battery', 0.09), 'the battery holds 9 %'),
    ('low battery', spoil('battery', 0.19), 'the battery holds 19 %'),
    ('low battery', spoil('battery_problem', 'overheated'), 'the battery reports: overheated'),
    ('sensor lag', spoil('lag', 0.06), 'imu/data is stamped 60 ms before it arrives'),
    ('growing lag', spoil('lag_growth', 0.03), 'the lag of imu/data grew by 30 to 0 ms'),
    ('stamps ahead', spoil('lag', -0.03), 'imu/data is stamped 30 ms ahead of this clock'),
    ('unknown frame', spoil('unknown_frame', 'tail'), "imu/data is in an unknown frame, 'tail'"),
    ('two controllers', spoil('target_publishers', 2), '2 nodes publish joint_command'),
    ('action', spoil('action', -20.0), "the policy's action of joint 'left_knee' is -20.00"),
    ('action not finite', spoil('action', math.nan),
     "the policy's action of joint 'left_knee' is nan"),
    ('control period', spoil('period', 0.16), 'no control step for 0.160 s'),
    ('time jump', spoil('time_lost', 0.5), 'the clock jumped back by 0.500 s'),
    ('late step', spoil('period', 0.035), 'a control step came after 35 ms'),
    ('two commanders', spoil('command_publishers', 2), '2 nodes publish cmd_vel'),
    ('two arm commanders', spoil('arm_publishers', 2), '2 nodes publish arm_command'),
]


def rule(name):
    """Give a rule by its name."""
    return next(rule for rule in RULES if rule.name == name)
