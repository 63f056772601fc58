# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A robot in MuJoCo whose motors take a position, a velocity, a torque and two gains each."""

from __future__ import annotations

from typing import Sequence, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.nodes.hardware.port import MotorCommand
from humanoid_locomotion.sim.backend import PhysicsSpec, open_backend

# Ropes of a hoist, as a spring and a damper at the base, with the same values for rotation.
STIFFNESS, DAMPING = 5000.0, 500.0  # [N/m], [N s/m]
CLEARANCE = 0.05  # [m]
LOWERING = 0.2  # [m/s]


class SimulatedMotors:
    """One robot above a flat floor, at first hanging on a hoist.

    Args:
        robot: The robot.
        tick: Duration of one :meth:`step`, which is one physics step [s].
        imu_frame: Body that holds the IMU.
        clearance: Distance between the feet and the floor while it hangs [m].

    Attributes:
        quaternion_wxyz: Orientation of the IMU in the world.
        angular_velocity: Of the IMU, in its frame [rad/s].
        acceleration: Specific force in the IMU's frame [m/s^2].
    """

    def __init__(self, robot: RobotSpec, tick: float, imu_frame: str,
                 clearance: float = CLEARANCE):
        backend = open_backend('mujoco', robot, 1, PhysicsSpec(
            timestep=tick, substeps=1, solver_iterations=100, line_search_iterations=50))
        self._model: mujoco.MjModel = backend.model  # type: ignore[attr-defined]
        self._data = mujoco.MjData(self._model)
        self._data.qpos[:] = backend.qpos[0]  # type: ignore[attr-defined]
        backend.close()
        joints = [self._model.joint(name) for name in robot.joint_names]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._qvel = np.array([joint.dofadr[0] for joint in joints])
        self._actuators = np.array([self._model.actuator(name).id for name in robot.joint_names])
        self._imu, self._tick = self._model.body(imu_frame).id, tick
        self._free = int(np.flatnonzero(self._model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)[0])
        self._standing_height, self._hanging_height = (
            robot.base_height, robot.base_height + clearance)
        self._lowest = -np.inf  # height of the hoist at which it lets go
        self._linear = np.zeros(3)
        self.angular_velocity, self.acceleration = np.zeros(3), np.array([0.0, 0.0, GRAVITY])
        self.suspend()
        self._data.qpos[2] = self._hanging_height
        zeros = np.zeros(robot.num_joints)
        self.drive(MotorCommand(zeros, zeros, zeros, zeros, zeros))
        mujoco.mj_forward(self._model, self._data)

    def suspend(self) -> None:
        """Attach the hoist: it lifts the robot, upright, to the height at which it hung."""
        model, free = self._model, self._free
        model.jnt_stiffness[free], model.dof_damping[:6] = STIFFNESS, DAMPING
        yaw = np.arctan2(*self._heading()[::-1])
        sag = float(model.body_mass.sum()) * GRAVITY / STIFFNESS
        model.qpos_spring[:7] = [*self._data.qpos[:2], self._hanging_height + sag,
                                 np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        self._lowest = -np.inf

    def lower(self) -> None:
        """Lower the robot to the floor and detach the hoist."""
        self._lowest = self._standing_height - 0.05

    def push(self, velocity: Sequence[float]) -> None:
        """Add a velocity [m/s] to the base: forward and left, in the heading frame."""
        cos, sin = self._heading()
        forward, left = velocity
        self._data.qvel[:2] += [cos * forward - sin * left, sin * forward + cos * left]

    def drive(self, command: MotorCommand) -> None:
        """Set what every motor does from the next step on, within the joint's effort."""
        i = self._actuators
        self._model.actuator_gainprm[i, 0] = command.kp
        self._model.actuator_biasprm[i, 0] = command.kd * command.velocity + command.effort
        self._model.actuator_biasprm[i, 1] = -command.kp
        self._model.actuator_biasprm[i, 2] = -command.kd
        self._data.ctrl[i] = command.position

    def step(self) -> None:
        """Advance by one tick."""
        if np.isfinite(self._lowest):
            self._model.qpos_spring[2] -= LOWERING * self._tick
            if self._model.qpos_spring[2] < self._lowest:
                self._model.jnt_stiffness[self._free] = self._model.dof_damping[:6] = 0.0
                self._lowest = -np.inf
        mujoco.mj_step(self._model, self._data)
        velocity = np.zeros(6)  # rotation, then translation, in the frame of the IMU
        mujoco.mj_objectVelocity(
            self._model, self._data, mujoco.mjtObj.mjOBJ_XBODY, self._imu, velocity, 1)
        rotation = self._data.xmat[self._imu].reshape(3, 3)
        linear = rotation @ velocity[3:]
        gravity = np.array([0.0, 0.0, GRAVITY])
        self.acceleration = rotation.T @ ((linear - self._linear) / self._tick + gravity)
        self.angular_velocity, self._linear = velocity[:3], linear

    @property
    def quaternion_wxyz(self) -> np.ndarray:
        """Orientation of the IMU in the world."""
        return self._data.xquat[self._imu]

    @property
    def is_on_hoist(self) -> bool:
        """Whether the hoist carries the robot, if only in part."""
        return bool(self._model.jnt_stiffness[self._free])

    @property
    def position(self) -> np.ndarray:
        """Joint positions [rad]."""
        return self._data.qpos[self._qpos]

    @property
    def velocity(self) -> np.ndarray:
        """Joint velocities [rad/s]."""
        return self._data.qvel[self._qvel]

    @property
    def effort(self) -> np.ndarray:
        """Torques of the motors [Nm]."""
        return self._data.actuator_force[self._actuators]

    @property
    def base_position(self) -> np.ndarray:
        """Position of the base in the world [m]."""
        return self._data.qpos[:3]

    @property
    def base_velocity(self) -> Tuple[float, float]:
        """Velocity of the base, forward and left [m/s]."""
        (cos, sin), (x, y) = self._heading(), self._data.qvel[:2]
        return float(cos * x + sin * y), float(cos * y - sin * x)

    @property
    def tilt(self) -> float:
        """Angle between the base's z axis and the vertical [rad]."""
        _, x, y, _ = self._data.qpos[3:7]
        return float(np.arccos(np.clip(1.0 - 2.0 * (x * x + y * y), -1.0, 1.0)))

    @property
    def yaw(self) -> float:
        """Heading of the base [rad]."""
        cos, sin = self._heading()
        return float(np.arctan2(sin, cos))

    def _heading(self) -> Tuple[float, float]:
        """Return cosine and sine of the heading, up to a common factor of 1."""
        w, x, y, z = self._data.qpos[3:7]
        cos, sin = 1.0 - 2.0 * (y * y + z * z), 2.0 * (w * z + x * y)
        length = max(float(np.hypot(cos, sin)), 1e-9)
        return float(cos / length), float(sin / length)
