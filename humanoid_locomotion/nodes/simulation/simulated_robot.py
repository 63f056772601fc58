# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot with the behaviour of a motor driver; independent of ROS."""

from __future__ import annotations

import dataclasses
from typing import Optional, Sequence

import mujoco
import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import JointsError, MessageError
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import PhysicsSpec, TerrainSpec, open_backend

# MuJoCo's defaults: on a CPU the solver stops when it has converged.
SOLVER_ITERATIONS, LINE_SEARCH_ITERATIONS = 100, 50
UNUSED = 1  # size of contact and constraint arrays, which only GPU backends allocate
# The ropes of a hoist, as one spring and damper at the base, with a sag of about 0.1 m.
ROPE_STIFFNESS, ROPE_DAMPING = 5000.0, 500.0  # [N/m], [N s/m], and the same values for rotation


class SimulatedRobot:
    """One robot in MuJoCo, including its motor driver.

    *Gantry.* Until the first command with kp > 0, and again after :meth:`reset`, the robot is
    suspended in its default pose with its feet on the floor; then it is released. *Watchdog.* When
    commands stop, the joints are damped, as a driver should do. *Faults.* On request of a test,
    motors die or are connected to another joint, and encoders slip.

    Args:
        robot: The robot.
        tick: Duration of one :meth:`step` [s].
        timestep: Longest physics step [s]; a tick is divided evenly.
        command_timeout: Time without commands after which the joints are damped [s].
        terrain: Specification of the ground; None for a flat floor.

    Attributes:
        time: Simulated time [s]; it continues while the robot is suspended.
        is_held: Whether the robot is suspended.
        start: Position of the gantry [m], (3,): a point on the ground.
        encoder_offsets: Measurement error of every joint [rad], (num_joints,); the driver's
            controller uses the same encoder.
        wiring: Index of the joint whose target each motor gets, (num_joints,).
    """

    def __init__(self, robot: RobotSpec, tick: float, timestep: float, command_timeout: float,
                 terrain: Optional[TerrainSpec] = None):
        substeps = max(1, int(np.ceil(tick / timestep - 1e-6)))
        self._backend = open_backend('mujoco', robot, 1, PhysicsSpec(
            timestep=tick / substeps, substeps=substeps, solver_iterations=SOLVER_ITERATIONS,
            line_search_iterations=LINE_SEARCH_ITERATIONS, max_constraints=UNUSED,
            max_contacts=UNUSED), terrain=terrain)
        self.joint_names = list(self._backend.joint_names)
        self._tick, self.command_timeout = tick, command_timeout
        self.ticks = 0
        self._gains = np.stack([robot.values(key) for key in ('kp', 'kd', 'effort')], axis=1)
        self._gains_order: Sequence[str] = self.joint_names
        self._given_gains: Optional[np.ndarray] = None
        self._targets = robot.values('default')[None].copy()
        self._damped: Optional[bool] = None
        self._model: mujoco.MjModel = self._backend.model  # type: ignore[attr-defined]
        self._own_friction = self._model.geom_friction[:, 0].copy()
        self._hands = [self._model.body(name).id for name in robot.hands]
        self.start = np.zeros(3)
        self.encoder_offsets = np.zeros(len(self.joint_names))
        self.wiring = np.arange(len(self.joint_names))
        self._is_dead = np.zeros(len(self.joint_names), bool)
        self.reset()

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self.ticks * self._tick

    def reset(self) -> None:
        """Suspend the robot in its default pose. Time continues."""
        self.is_held = True
        self._last_command = -np.inf
        self._acceleration = np.zeros(3)
        self._put_back()

    def _put_back(self) -> None:
        state = self._backend.default_state()
        position = state.base_position + self.start.astype(np.float32)
        self._backend.reset(np.ones(1, bool), dataclasses.replace(state, base_position=position))
        self._velocity = np.zeros(3)

    def set_gains(self, table: np.ndarray) -> None:
        """Set gains (n, 3), kp, kd and effort, of the commanded joints."""
        self._given_gains = table
        self._damped = None  # write them at the next step

    def command(self, names: Sequence[str], positions: np.ndarray) -> None:
        """Set targets [rad] of the named joints.

        Raises:
            JointsError: The robot has no joint of that name.
            MessageError: A target is not finite, or the numbers of targets and names differ.
        """
        if list(names) != list(self._gains_order):
            unknown = [name for name in names if name not in self.joint_names]
            if unknown:
                raise JointsError('joint_command', unknown, self.joint_names)
            self._gains_order, self._damped = list(names), None
        if len(positions) != len(names) or not np.isfinite(positions).all():
            raise MessageError('joint_command', f'expected {len(names)} finite positions, '
                               f'found {np.asarray(positions).tolist()}')
        self._targets[0, [self.joint_names.index(name) for name in names]] = positions
        self._last_command = self.time
        if self._pulls():
            self.is_held = False

    def kill_motor(self, name: str) -> None:
        """Disable the motor of a joint; its sensors still work."""
        self._is_dead[self.joint_names.index(name)] = True
        self._damped = None

    def swap_motors(self, one: str, other: str) -> None:
        """Connect the motors of two joints to each other's targets."""
        pair = [self.joint_names.index(name) for name in (one, other)]
        self.wiring[pair] = self.wiring[pair[::-1]]

    def lift(self, height: float) -> None:
        """Lift the base by a height [m] on the ropes of a hoist; 0 or less releases it."""
        joint = int(np.flatnonzero(self._model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)[0])
        carries = height > 0.0
        self._model.jnt_stiffness[joint] = ROPE_STIFFNESS * carries
        self._model.dof_damping[:6] = ROPE_DAMPING * carries
        self._model.qpos_spring[:7] = self._backend.qpos[0, :7]  # type: ignore[attr-defined]
        self._model.qpos_spring[2] += height

    def push(self, velocity: Sequence[float]) -> None:
        """Add a velocity [m/s] to the base: forward, left and up in the heading frame."""
        orientation = self.state().base_orientation
        linear = rotations.rotate(
            rotations.yaw_quaternion(rotations.yaw(orientation)), np.array([velocity]))
        self._backend.add_base_velocity(linear, np.zeros((1, 3)))

    def set_friction(self, friction: float) -> None:
        """Set the friction of every surface; 0 restores that of the model."""
        self._model.geom_friction[:, 0] = friction if friction > 0.0 else self._own_friction

    def load_hands(self, mass: float) -> None:
        """Add a mass [kg] to the last link of each arm, at its centre of mass."""
        model = self._model
        if mass == 0.0:
            return
        for hand in self._hands:
            model.body_inertia[hand] *= 1.0 + mass / model.body_mass[hand]
            model.body_mass[hand] += mass
        mujoco.mj_setConst(model, mujoco.MjData(model))

    def step(self) -> None:
        """Advance by one tick."""
        self.ticks += 1
        if self.is_held:
            self._put_back()
            return
        silent = self.time - self._last_command > self.command_timeout
        if silent is not self._damped:
            self._write_gains(silent)
            self._damped = silent
        self._backend.step(JointTargets((self._targets - self.encoder_offsets)[:, self.wiring]))
        state = self.state()
        velocity = rotations.rotate(state.base_orientation, state.base_linear_velocity)[0]
        self._acceleration = (velocity - self._velocity) / self._tick
        self._velocity = velocity

    def state(self) -> RobotState:
        """Return the measured state of the robot, one row."""
        state = self._backend.state()
        return dataclasses.replace(
            state, joint_positions=(state.joint_positions + self.encoder_offsets).astype(
                np.float32)) if self.encoder_offsets.any() else state

    def ground(self) -> float:
        """Return the height of the ground below the base [m]."""
        terrain, position = self._backend.terrain, self.state().base_position
        return 0.0 if terrain is None else float(terrain.ground(position)[0])

    def efforts(self) -> np.ndarray:
        """Return the torques that the motors measure [Nm], (num_joints,); 0 while suspended."""
        torques: np.ndarray = self._backend.truth().joint_torques[0]
        return torques

    def specific_force(self) -> np.ndarray:
        """Return the reading of an accelerometer in the base [m/s^2], (3,), mean over the tick."""
        upward = self._acceleration + np.array([0.0, 0.0, GRAVITY])
        force: np.ndarray = rotations.rotate_inverse(
            self.state().base_orientation, upward[None])[0]
        return force

    @property
    def pulls(self) -> bool:
        """Whether the driver controls any joint: it has gains and receives commands."""
        silent = self.time - self._last_command > self.command_timeout
        return self._pulls() and not silent

    def close(self) -> None:
        """Free the simulator."""
        self._backend.close()

    def _commanded_gains(self) -> np.ndarray:
        """Return the gains of every joint: those set for the commanded ones, else the robot's."""
        gains = self._gains.copy()
        given = self._given_gains
        if given is not None and len(given) == len(self._gains_order):
            gains[[self.joint_names.index(name) for name in self._gains_order]] = given
        return gains

    def _pulls(self) -> bool:
        return bool((self._commanded_gains()[:, 0] > 0.0).any())

    def _write_gains(self, damped: bool) -> None:
        gains = self._commanded_gains()
        if damped:
            gains[:, 0] = 0.0
        gains[self._is_dead] = 0.0
        write_gains(self._model, self.joint_names, gains)


def write_gains(model: mujoco.MjModel, joint_names: Sequence[str], gains: np.ndarray) -> None:
    """Change the position controllers of a running model.

    Args:
        model: A model of the MuJoCo backend; its actuators are named after their joints.
        joint_names: The joints.
        gains: (num_joints, 3): kp [Nm/rad], kd [Nm s/rad], effort [Nm].
    """
    for name, (kp, kd, effort) in zip(joint_names, gains):
        i = model.actuator(name).id
        model.actuator_gainprm[i, 0] = kp
        model.actuator_biasprm[i, 1:3] = -kp, -kd
        model.actuator_forcerange[i] = -effort, effort
