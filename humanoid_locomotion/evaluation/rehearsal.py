# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A short walk in simulation, which shows whether an imported policy was understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from humanoid_locomotion.core.feedback.robot_size import robot_size
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.evaluation import metrics
from humanoid_locomotion.evaluation.numpy_backend import NumpyBackend
from humanoid_locomotion.evaluation.protocol import QUICK
from humanoid_locomotion.evaluation.runner import Trials, roll_out
from humanoid_locomotion.sim.backend import open_backend

SPEED, TIME = 0.5, 5.0  # [m/s] forward, for a robot of the usual size, [s]


@dataclass(frozen=True)
class Rehearsal:
    """The outcome of a short walk.

    Attributes:
        speed: Commanded forward velocity [m/s].
        time: Duration [s].
        time_up: Time until the robot fell [s]; the whole duration if it did not.
        distance: Distance walked in the direction of the start [m], until the fall if it fell.
    """

    speed: float
    time: float
    time_up: float
    distance: float

    @property
    def fell(self) -> bool:
        """Whether the robot fell."""
        return self.time_up < self.time

    def __str__(self) -> str:
        """Return the outcome as one sentence."""
        asked = f'at a command of {self.speed:g} m/s forward in MuJoCo'
        if self.fell:
            return (f'the robot falls after {self.time_up:.2f} s {asked}: a key may be wrong; '
                    'compare them with those of the stack that trained the policy')
        return f'the robot walks {self.distance:.2f} m in {self.time:g} s {asked}'


def rehearse(folder: PolicyFolder, robot: RobotSpec) -> Rehearsal:
    """Walk one robot forward from the default pose, without disturbances.

    Raises:
        ConfigError: As :func:`humanoid_locomotion.core.feedback.robot_size.robot_size`.
    """
    contract = folder.contract
    speed = min(robot_size(robot).scale.of(SPEED, 'm/s'),
                contract.command_limits['lin_vel_x'].upper)
    steps = round(TIME / contract.control_period)

    def open_robots(num_envs: int) -> Any:
        return NumpyBackend(open_backend(
            QUICK.simulator, robot, num_envs, QUICK.physics(contract.control_period),
            joints=contract.joints))

    seen = roll_out(open_robots, contract, folder.policy, Trials(
        commands=np.tile(np.array([speed, 0.0, 0.0], np.float32), (steps, 1, 1)),
        heading=np.zeros(1), joint_offsets=np.zeros((1, len(contract.joints)))))
    fallen = metrics.fallen(seen, QUICK.fall_height * robot.base_height, QUICK.fall_tilt)
    last = max(0, int((~fallen[:, 0]).sum()) - 1)
    return Rehearsal(speed, steps * contract.control_period,
                     float(metrics.time_up(fallen, seen.period)[0]),
                     float(seen.positions[last, 0, 0]))
