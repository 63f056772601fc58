# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Soak test of a robot that walks while another node waves its arms and it is pushed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.arm_wave import PERIOD, ArmWave
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters, SimParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench

COMMAND_FOR, PUSH_EVERY = 4.0, 5.0  # [s]
# Forward and left [m/s], turning [rad/s]; the commands of the scorecard's tours.
LOWER, UPPER = (-0.3, -0.3, -0.5), (0.8, 0.3, 0.5)
PUSH = SimParameters().push_x  # [m/s], as the default of ~/push, in random directions


@dataclass(frozen=True)
class LedWalk:
    """Result of one walk with led arms.

    Attributes:
        policy: Name of the policy folder.
        run: Seed of commands, pushes and arm motion.
        seconds: Time until the fall, or the end of the walk [s].
        fell: Whether the robot fell, or was damped.
        pushes: Number of pushes.
        led: Share of the control steps in which every arm joint was led.
        trips: Safety rules that tripped.
    """

    policy: str
    run: int
    seconds: float
    fell: bool
    pushes: int
    led: float
    trips: str

    @property
    def passed(self) -> bool:
        """Whether the robot walked to the end, with its arms led."""
        return not self.fell and not self.trips and self.led > 0.95


def walk_with_led_arms(folder: PolicyFolder, spec: RobotSpec, seconds: float, run: int,
                       payload: float = 0.0) -> LedWalk:
    """Walk with random commands and pushes while the arms wave, on a stepped clock.

    Args:
        folder: The policy.
        spec: Its robot.
        seconds: Duration [s].
        run: Random seed.
        payload: Mass in each hand [kg].
    """
    random, wave = np.random.default_rng(run), ArmWave(folder.contract, run)
    arms, pushes, led, step, fell = len(wave.at(0.0).name), 0, 0, 0, False
    own = folder.contract.command_limits.velocity
    bench = FaultBench(folder, spec, LocomotionParameters())
    try:
        bench.robot.load_hands(payload)
        bench.stand()
        steps, begin = round(seconds / PERIOD), bench.elapsed
        for step in range(1, steps + 1):
            if step % round(COMMAND_FOR / PERIOD) == 1:
                drawn = random.uniform(LOWER, UPPER)
                bench.command = tuple(np.clip(drawn, own.lower, own.upper).tolist())
            if step % round(PUSH_EVERY / PERIOD) == 0:
                angle = random.uniform(-np.pi, np.pi)
                bench.robot.push([PUSH * np.cos(angle), PUSH * np.sin(angle), 0.0])
                pushes += 1
            bench.loop.take_arms('arm_command', wave.at(step * PERIOD), bench.now)
            bench.run(PERIOD)
            led += len(bench.loop.arms.led) == arms
            fell = bench.is_fallen or bench.is_damped
            if fell:
                break
        trips = ', '.join(name for name, count in bench.loop.guard.trips.items() if count)
        return LedWalk(folder.path.name, run, round(bench.elapsed - begin, 2), fell,
                       pushes, round(led / step, 4), trips)
    finally:
        bench.close()
