# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The evaluation protocol: all trials, commands and disturbances with their parameters.

A change of any value needs a new :data:`VERSION`: scorecards of different versions cannot be
compared. A robot smaller than the usual size is asked for less, see :meth:`Protocol.scaled`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math
from typing import Optional, Tuple

from humanoid_locomotion.core.action import ARM_PARTS, ARM_REACH
from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.feedback.robot_size import USUAL, Scale, robot_size
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import FALL_HEIGHT, FALL_TILT
from humanoid_locomotion.sim.backend import PhysicsSpec
from humanoid_locomotion.sim.disturbances import SensorNoise

VERSION = 4

Command = Tuple[float, float, float]  # forward [m/s], left [m/s], turning left [rad/s]

COMMANDS: tuple[Command, ...] = (
    (0.1, 0.0, 0.0), (0.3, 0.0, 0.0), (0.5, 0.0, 0.0), (0.8, 0.0, 0.0), (1.0, 0.0, 0.0),
    (-0.3, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, -0.3, 0.0),
    (0.0, 0.0, 0.2), (0.0, 0.0, 0.5), (0.0, 0.0, -0.5), (0.5, 0.2, 0.3))


@dataclass(frozen=True)
class PushGroup:
    """Kicks towards both sides of one axis.

    Attributes:
        name: Name of the group.
        speed: Commanded forward speed [m/s].
        angle: Direction of every second kick [rad], 0 is forward and positive to the left; the
            others have the opposite direction.
    """

    name: str
    speed: float
    angle: float


@dataclass(frozen=True)
class Situation:
    """A disturbance that lasts for the whole run.

    Attributes:
        text: Name of the disturbance, with fields of the situation as ``{0.payload:g}``.
        command: The command of the run.
        friction: Sliding friction between feet and floor; None for that of the model.
        payload: Mass added to the trunk [kg].
        delay: Delay of the joint targets [s].
        noise: Factor on :class:`humanoid_locomotion.sim.disturbances.SensorNoise`.
    """

    text: str
    command: Command
    friction: Optional[float] = None
    payload: float = 0.0
    delay: float = 0.0
    noise: float = 0.0

    @property
    def name(self) -> str:
        """Name of the disturbance."""
        return self.text.format(self)

    def scaled(self, scale: Scale) -> Situation:
        """Return the disturbance for a robot of another size."""
        return replace(self, command=scale.command(self.command),
                       payload=scale.of(self.payload, 'kg'))


AHEAD, LEFT, STAND = (0.5, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, 0.0, 0.0)
GROUPS = (PushGroup('standing, sideways', 0.0, 0.5 * math.pi),
          PushGroup('walking, sideways', 0.5, 0.5 * math.pi),
          PushGroup('walking, fore and aft', 0.5, 0.0))
SITUATIONS = (
    Situation('friction 0.4, ahead', AHEAD, friction=0.4),
    Situation('friction 0.4, sideways', LEFT, friction=0.4),
    Situation('payload {0.payload:g} kg, ahead', AHEAD, payload=4.0),
    Situation('payload {0.payload:g} kg, standing', STAND, payload=4.0),
    Situation('delay 20 ms, ahead', AHEAD, delay=0.02),
    Situation('sensor noise, ahead', AHEAD, noise=1.0))
ICE = Situation('friction 0.2, {0.command[0]:g} m/s', (0.3, 0.0, 0.0), friction=0.2)


@dataclass(frozen=True)
class Protocol:
    """Parameters of all runs.

    Every run starts near the default pose, at a random heading.

    Attributes:
        version: Version of this protocol.
        quick: Whether the number of runs is reduced.
        scale: The factors by which it was scaled to a smaller robot.
        simulator: Name of the backend; never the one that policies are trained in.
        longest_timestep: Longest allowed physics step [s].
        solver_iterations: Maximum number of iterations of the constraint solver per physics step.
        joint_noise: Largest offset of a joint from the default pose at the start [rad].
        settle_time: Time at the start of each run that is not measured [s].
        measure_time: Time of a steady run that is measured [s].
        commands: The commands whose response is measured.
        command_runs: Runs of each command.
        answered_share: A command is answered if the error is at most this share of it.
        economy_speeds: Forward speeds at which effort is measured [m/s]. Every physics step is
            recorded; with a stride of a whole number of control steps, samples once per control
            step would always be at the same phases.
        economy_runs: Runs of each speed.
        slow_speeds: Forward speeds among which the dead zone is searched [m/s], slowest first.
        slow_runs: Runs of each slow speed.
        standing_runs: Runs of standing still.
        push_groups: Walking speeds and directions of the kicks.
        push_speeds: Velocities that a kick adds to the base [m/s], one rung of the ladder each.
        push_runs: Kicks of each group on each rung.
        push_window: The times of the kicks are spread evenly over this time [s].
        survive_time: Time for which a robot must stay up after a kick [s].
        tour_runs: Number of tours with arms moved by the policy, and with externally moved arms.
        tour_time: Duration of a tour [s].
        tour_limits: Range of its velocity commands, clamped to the policy's own limits.
        tour_command_time: Time between two commands [s].
        tour_standing_share: Share of its commands that are zero.
        tour_push_speed: Velocity that its kicks add [m/s], in random directions.
        tour_push_time: Time between two kicks [s].
        arm_joints: A joint belongs to an arm if one of these is part of its name.
        arm_reach: Share of the distance from the default pose to the joint limits that
            externally moved arms use.
        arm_time: Time in which they reach a new position [s].
        situations: The disturbances.
        situation_runs: Runs of each disturbance and of ``ice``.
        ice: The floor of lowest friction.
        noise: Errors of noisy sensors.
        fall_height: A base below this share of its height in the default pose counts as a fall.
        fall_tilt: A base tilted by more than this counts as a fall [rad].
    """

    version: int = VERSION
    quick: bool = False
    scale: Scale = USUAL
    simulator: str = 'mujoco'
    longest_timestep: float = 0.002
    solver_iterations: int = 50
    joint_noise: float = 0.05
    settle_time: float = 2.0
    measure_time: float = 10.0
    commands: tuple[Command, ...] = COMMANDS
    command_runs: int = 8
    answered_share: float = 0.5
    economy_speeds: tuple[float, ...] = (0.5, 1.0)
    economy_runs: int = 8
    slow_speeds: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    slow_runs: int = 4
    standing_runs: int = 32
    push_groups: tuple[PushGroup, ...] = GROUPS
    push_speeds: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.5)
    push_runs: int = 10
    push_window: float = 1.0
    survive_time: float = 4.0
    tour_runs: int = 16
    tour_time: float = 60.0
    tour_limits: CommandSpec = field(default_factory=lambda: CommandSpec.of(
        lin_vel_x=(-0.3, 0.8), lin_vel_y=(-0.3, 0.3), ang_vel_z=(-0.5, 0.5)))
    tour_command_time: float = 4.0
    tour_standing_share: float = 0.2
    tour_push_speed: float = 0.75
    tour_push_time: float = 5.0
    arm_joints: tuple[str, ...] = ARM_PARTS
    arm_reach: float = ARM_REACH
    arm_time: float = 1.0
    situations: tuple[Situation, ...] = SITUATIONS
    situation_runs: int = 3
    ice: Situation = ICE
    noise: SensorNoise = field(default_factory=SensorNoise)
    fall_height: float = FALL_HEIGHT
    fall_tilt: float = FALL_TILT

    def scaled(self, scale: Scale) -> Protocol:
        """Return what this protocol, of the usual size, asks of a robot of another size."""
        def speeds(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(scale.of(value, 'm/s') for value in values)

        return replace(
            self, scale=scale, commands=tuple(map(scale.command, self.commands)),
            economy_speeds=speeds(self.economy_speeds), slow_speeds=speeds(self.slow_speeds),
            push_groups=tuple(replace(group, speed=scale.of(group.speed, 'm/s'))
                              for group in self.push_groups),
            push_speeds=speeds(self.push_speeds),
            tour_limits=CommandSpec.of(**{
                it.axis.name: (scale.of(it.lower, it.axis.unit), scale.of(it.upper, it.axis.unit))
                for it in self.tour_limits.ranges}),
            tour_push_speed=scale.of(self.tour_push_speed, 'm/s'),
            situations=tuple(it.scaled(scale) for it in self.situations),
            ice=self.ice.scaled(scale))

    def physics(self, control_period: float) -> PhysicsSpec:
        """Return physics with a whole number of steps per control period [s].

        A 50 Hz policy gets ten steps of 2 ms, a 60 Hz policy nine of 1.85 ms.
        """
        substeps = math.ceil(control_period / self.longest_timestep - 1e-6)
        return PhysicsSpec(
            timestep=control_period / substeps, substeps=substeps,
            solver_iterations=self.solver_iterations,
            line_search_iterations=self.solver_iterations,
            max_constraints=512, max_contacts=128)


FULL = Protocol()
QUICK = replace(FULL, quick=True, command_runs=2, economy_runs=2, slow_runs=1, standing_runs=8,
                push_runs=2, tour_runs=4)


def protocol_for(robot: RobotSpec, quick: bool = False) -> Protocol:
    """Return the standard protocol for a robot.

    Raises:
        ConfigError: As :func:`humanoid_locomotion.core.feedback.robot_size.robot_size`.
    """
    return (QUICK if quick else FULL).scaled(robot_size(robot).scale)
