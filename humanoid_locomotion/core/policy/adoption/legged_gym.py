# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the YAML beside the TorchScript policies of unitree_rl_gym and RoboMimic_Deploy.

Both observe angular velocity, gravity, command, joints and last action, in this order.
unitree_rl_gym's runtime (``deploy/deploy_real/deploy_real.py``) adds sine and cosine of a phase
that never rests, moves the legs only, and holds the other joints with gains of their own.
RoboMimic_Deploy's (``policy/loco_mode/LocoMode.py``) moves all joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.adoption.foreign import (
    ForeignPolicy,
    Source,
    mentions,
    read_some,
)
from humanoid_locomotion.core.policy.standalone.fields import motors_of
from humanoid_locomotion.core.reading.parsing import show
from humanoid_locomotion.core.robot import RobotSpec

Numbers = Tuple[float, ...]

KEY = 'policy_path'
# unitree_rl_gym's is in its code, RoboMimic_Deploy's in deploy_real/config/real.yaml [s].
GAIT_PERIOD, CONTROL_PERIOD = 0.8, 0.02
ALWAYS = -1.0  # norm of a command below which the clock rests
UNITREES = ('g1', 'h1', 'h1_2', 'go2')  # folders of unitree_rl_gym's policies, by robot
# Least kd of a held joint for each unit of kp [s]. The policy was trained with these joints fixed;
# with the kd of the file the upper body swings about the waist, and the robot falls at 0.3 m/s.
HELD_DAMPING = 0.05


@dataclass(frozen=True)
class _Ranges:
    lin_vel_x: Tuple[float, float]
    lin_vel_y: Tuple[float, float]
    ang_vel_z: Tuple[float, float]


@dataclass(frozen=True)
class _Deploy:
    policy_path: str
    kps: Numbers
    kds: Numbers
    default_angles: Numbers
    ang_vel_scale: float
    dof_pos_scale: float
    dof_vel_scale: float
    action_scale: float
    cmd_scale: Tuple[float, float, float]
    num_actions: int
    num_obs: int
    control_dt: float = CONTROL_PERIOD
    leg_joint2motor_idx: Optional[Tuple[int, ...]] = None
    joint2motor_idx: Optional[Tuple[int, ...]] = None
    arm_waist_joint2motor_idx: Tuple[int, ...] = ()
    arm_waist_kps: Numbers = ()
    arm_waist_kds: Numbers = ()
    arm_waist_target: Numbers = ()
    max_cmd: Optional[Tuple[float, float, float]] = None
    cmd_range: Optional[_Ranges] = None


def read(found: ForeignPolicy, robot: RobotSpec) -> Optional[Source]:
    """Return the flat keys of the YAML that names a policy's file; None if there is none.

    It is beside the policy, in ``../config`` (RoboMimic_Deploy) or, named as the policy's folder,
    in ``../../deploy_real/configs`` (unitree_rl_gym).

    Raises:
        ConfigError: The file is not valid, or does not say which joints are moved.
    """
    folder, name = found.path.parent, found.path.name
    places = [*sorted(folder.glob('*.yaml')), *sorted((folder.parent / 'config').glob('*.yaml')),
              *(folder.parent.parent / deploy / 'configs' / f'{folder.name}.yaml'
                for deploy in ('deploy_real', 'deploy_mujoco'))]
    files = [(path, read_some(_Deploy, path)) for path in places if mentions(path, KEY, name)]
    own = [(path, it) for path, it in files if it.policy_path.rpartition('/')[2] == name]
    if not own:
        return None
    path, it = own[0]
    others = [other.name for other, _ in own[1:] if other.parent == path.parent]
    if others:
        raise ConfigError(path, KEY, f'names {name}, and so does {show(others, 200)} beside it; '
                          'expected one such file')
    return path, _flat(it, path, robot)


def _flat(it: _Deploy, path: Path, robot: RobotSpec) -> Dict[str, Any]:
    moved, held = it.leg_joint2motor_idx or it.joint2motor_idx, it.arm_waist_joint2motor_idx
    trained = it.policy_path.split('/')[-2:][0]
    if trained in UNITREES and robot.name.startswith('unitree_') and (
            robot.name != f'unitree_{trained}'):
        raise ConfigError(path, KEY, f'found {show(it.policy_path, 200)}, a policy of another '
                          f'robot than {robot.name!r}; expected --robot unitree_{trained}')
    if moved is None:
        raise ConfigError(path, '', 'missing key joint2motor_idx or leg_joint2motor_idx, the '
                          'motors of the joints; expected a file as in deploy_real/configs')
    motors = motors_of(robot.name, robot.joint_names)
    ids, n = [*moved, *held], it.num_actions
    usable = [i for i, motor in enumerate(motors) if motor is not None]
    if len({*ids}) != len(ids) or not {*ids} <= {*usable}:
        raise ConfigError(path, 'joint2motor_idx', f'found {show(ids, 200)}, expected motors of '
                          f'robot {robot.name!r} once each, of {usable[0]} to {usable[-1]}')
    for key, size in (('kps', n), ('kds', n), ('default_angles', n), ('arm_waist_kps', len(held)),
                      ('arm_waist_kds', len(held)), ('arm_waist_target', len(held))):
        if len(getattr(it, key)) != size or len(moved) != n:
            raise ConfigError(path, key, f'found {len(getattr(it, key))} values for '
                              f'{len(moved)} motors, expected {size}')
    terms = {'base_angular_velocity': [it.ang_vel_scale] * 3, 'projected_gravity': [1.0] * 3,
             'velocity_command': it.cmd_scale,
             'joint_positions_from_default': [it.dof_pos_scale] * n,
             'joint_velocities': [it.dof_vel_scale] * n, 'previous_action': [1.0] * n}
    flat: Dict[str, Any] = {}
    if it.num_obs == 9 + 3 * n + 2:
        terms['gait_clock'] = [1.0, 1.0]
        flat = {'gait_period': GAIT_PERIOD, 'gait_moving_threshold': ALWAYS}
    elif it.num_obs != 9 + 3 * n:
        raise ConfigError(path, 'num_obs', f'found {it.num_obs}, expected {9 + 3 * n}, or 2 more '
                          f'with a phase, for {n} actions')
    names = [motors[i] for i in moved]
    if held:
        flat.update(commanded_joints=names, observation_joints=names)
    if it.cmd_range is not None:
        ranges = [it.cmd_range.lin_vel_x, it.cmd_range.lin_vel_y, it.cmd_range.ang_vel_z]
        flat.update(command_lower=[low for low, _ in ranges],
                    command_upper=[high for _, high in ranges])
    elif it.max_cmd is not None:
        flat.update(command_lower=[-most for most in it.max_cmd], command_upper=list(it.max_cmd))
    return {
        'joint_names': [motors[i] for i in ids],
        'joint_stiffness': [*it.kps, *it.arm_waist_kps],
        'joint_damping': [*it.kds, *(max(kd, HELD_DAMPING * kp) if kd > 0.0 else kd for kp, kd in
                                     zip(it.arm_waist_kps, it.arm_waist_kds))],
        'default_joint_pos': [*it.default_angles, *it.arm_waist_target],
        'action_scale': it.action_scale, 'control_period': it.control_dt,
        'observation_names': list(terms),
        'observation_scales': [scale for scales in terms.values() for scale in scales],
        'observation_layout': 'legged_gym', 'command_names': 'base_velocity', **flat}
