# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs a batch of robots, each with its own command schedule, and records their motion."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Callable, Optional, Sequence

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller, Policy
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.evaluation.perturbations import FixedDelay, NoisySensors, move_arms
from humanoid_locomotion.sim.backend import PhysicsVariation, ResetState, SimBackend
from humanoid_locomotion.sim.disturbances import SensorNoise


@dataclass(frozen=True)
class Trials:
    """The start states, commands and disturbances of a batch of robots.

    Attributes:
        commands: (steps, num_envs, 3) [m/s, m/s, rad/s], the velocity command at every
            control step; further axes of the command have their value at rest.
        heading: (num_envs,) Yaw at the start [rad].
        joint_offsets: (num_envs, num_joints) Start position from the default pose [rad].
        friction: (num_envs,) Friction of the floor; None for the model's.
        payload: (num_envs,) Mass added to the trunk [kg]; None for no payload.
        kicks: (steps, num_envs, 2) Velocity added to the base before each step [m/s], forward
            and left in the heading frame of that moment; None for no kicks.
        delay: (num_envs,) Delay of the joint targets [control steps]; None for no delay.
        noise: (num_envs,) Factor on the sensor errors; None for exact sensors.
        arm_targets: (steps, num_envs, num_joints) Targets of externally moved joints [rad], NaN
            where the policy's target is kept; None to keep all of them.
        places: (num_envs, 3) Start positions on the ground [m]; None for the origin.
        seed: Seed of the random numbers during the trials.
    """

    commands: np.ndarray
    heading: np.ndarray
    joint_offsets: np.ndarray
    friction: Optional[np.ndarray] = None
    payload: Optional[np.ndarray] = None
    kicks: Optional[np.ndarray] = None
    delay: Optional[np.ndarray] = None
    noise: Optional[np.ndarray] = None
    arm_targets: Optional[np.ndarray] = None
    places: Optional[np.ndarray] = None
    seed: Sequence[int] = (0,)

    @property
    def num_steps(self) -> int:
        """Number of control steps."""
        return int(self.commands.shape[0])

    @property
    def num_envs(self) -> int:
        """Number of robots."""
        return int(self.commands.shape[1])


@dataclass(frozen=True)
class Recording:
    """The recorded values after every step of the backend; time first, then robots.

    Attributes:
        period: Time between two rows [s].
        commands: (steps, num_envs, 3) [m/s, m/s, rad/s].
        positions: (steps, num_envs, 3) [m], of the base; z is its height above the ground.
        yaws: (steps, num_envs) [rad], in (-pi, pi].
        tilts: (steps, num_envs) [rad], between the base's z axis and the vertical.
        velocities: (steps, num_envs, 3): forward [m/s], left [m/s] and turning left [rad/s], in
            the heading frame.
        joint_velocities: (steps, num_envs, num_joints) [rad/s].
        joint_torques: (steps, num_envs, num_joints) [Nm].
        joint_targets: (steps, num_envs, num_joints) [rad].
        sole_speeds: (steps, num_envs, 2) [m/s], horizontal, left first.
        sole_forces: (steps, num_envs, 2) [N].
    """

    period: float
    commands: np.ndarray
    positions: np.ndarray
    yaws: np.ndarray
    tilts: np.ndarray
    velocities: np.ndarray
    joint_velocities: np.ndarray
    joint_torques: np.ndarray
    joint_targets: np.ndarray
    sole_speeds: np.ndarray
    sole_forces: np.ndarray

    def between(self, start: float, stop: float) -> Recording:
        """Return the part from ``start`` up to ``stop`` [s]."""
        steps = slice(round(start / self.period), round(stop / self.period))
        return self._each(lambda array: array[steps])

    def robots(self, chosen: slice) -> Recording:
        """Return the part of some of the robots."""
        return self._each(lambda array: array[:, chosen])

    def _each(self, cut: Callable[[np.ndarray], np.ndarray]) -> Recording:
        arrays = {f.name: cut(getattr(self, f.name)) for f in fields(self) if f.name != 'period'}
        return Recording(period=self.period, **arrays)


def roll_out(open_robots: Callable[[int], SimBackend], contract: PolicyContract, policy: Policy,
             trials: Trials, progress: Optional[Callable[[float], None]] = None,
             noise: Optional[SensorNoise] = None, substeps: int = 1) -> Recording:
    """Run a policy through trials; a robot that falls is not reset, and is still recorded.

    Args:
        open_robots: Opens the simulator for a number of robots, with the joints of the contract
            and NumPy arrays.
        contract: The policy's contract.
        policy: Maps observations (num_envs, obs) to actions (num_envs, m), NumPy.
        trials: Start states, commands and disturbances.
        progress: Called after every step with the share of the steps that are done.
        noise: Largest sensor errors, before the factor of the trials.
        substeps: Steps of the backend per control step; each is recorded as one row.
    """
    backend = open_robots(trials.num_envs)
    try:
        if trials.friction is not None or trials.payload is not None:
            backend.randomize(PhysicsVariation(
                friction=trials.friction, payload=trials.payload))
        everyone = np.ones(trials.num_envs, bool)
        backend.reset(everyone, _start(backend, trials))
        controller = Controller(contract, policy, trials.num_envs)
        controller.reset(everyone)
        sensors = NoisySensors(noise or SensorNoise(), trials.noise, trials.seed)
        line = FixedDelay(trials.delay)
        rows = []
        for step, command in enumerate(trials.commands):
            _kick(backend, trials, step)
            targets = controller.step(sensors.measure(backend.state()),
                                      contract.command_limits.with_velocity(command))
            others = None if trials.arm_targets is None else trials.arm_targets[step]
            arriving = move_arms(line.send(targets.positions), others)
            for _ in range(substeps):
                backend.step(arriving)
                rows.append(_row(command, backend, targets))
            if progress is not None:
                progress((step + 1) / trials.num_steps)
        # A robot whose state is not finite is recorded as lying at the origin.
        columns = {name: np.nan_to_num(np.stack([row[name] for row in rows]),
                                       posinf=0.0, neginf=0.0) for name in rows[0]}
        return Recording(period=contract.control_period / substeps, **columns)
    finally:
        backend.close()


def _start(backend: SimBackend, trials: Trials) -> ResetState:
    state = backend.default_state()
    pose = state.joint_positions + trials.joint_offsets.astype(np.float32)
    orientation = rotations.yaw_quaternion(trials.heading.astype(np.float32))
    position = state.base_position
    if trials.places is not None:
        position = position + trials.places.astype(np.float32)
    return ResetState(**{**vars(state), 'joint_positions': pose, 'base_position': position,
                         'base_orientation': orientation})


def _kick(backend: SimBackend, trials: Trials, step: int) -> None:
    if trials.kicks is None or not np.any(trials.kicks[step]):
        return
    heading = rotations.yaw_quaternion(rotations.yaw(backend.state().base_orientation))
    flat = np.concatenate([trials.kicks[step], np.zeros((trials.num_envs, 1), np.float32)], 1)
    backend.add_base_velocity(rotations.rotate(heading, flat), np.zeros_like(flat))


def _row(command: np.ndarray, backend: SimBackend,
         targets: JointTargets) -> dict[str, Array]:
    state, truth = backend.state(), backend.truth()
    orientation = state.base_orientation
    velocity = rotations.in_heading_frame(
        orientation, rotations.rotate(orientation, truth.base_linear_velocity))
    turning = rotations.rotate(orientation, state.base_angular_velocity)[:, 2:]
    seen = {
        'commands': command,
        'positions': truth.base_position,
        'yaws': rotations.yaw(orientation),
        'tilts': rotations.tilt(orientation),
        'velocities': np.concatenate([velocity[:, :2], turning], axis=1),
        'joint_velocities': state.joint_velocities,
        'joint_torques': truth.joint_torques,
        'joint_targets': targets.positions,
        'sole_speeds': np.linalg.norm(truth.sole_velocities[:, :, :2], axis=-1),
        'sole_forces': truth.sole_forces}
    # The arrays of the backend are only valid until the next step.
    return {name: np.array(value) for name, value in seen.items()}
