# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation on rough ground; it has no gates and is not part of the scorecard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.robot_bounds import check_joints
from humanoid_locomotion.evaluation import metrics, trials
from humanoid_locomotion.evaluation.evaluate import Progress
from humanoid_locomotion.evaluation.numpy_backend import NumpyBackend
from humanoid_locomotion.evaluation.protocol import AHEAD, Protocol, protocol_for
from humanoid_locomotion.evaluation.runner import roll_out
from humanoid_locomotion.sim.backend import Terrain, TerrainSpec, open_backend

# For a robot of the usual size. The tiles are so large that a robot that walks ahead from the
# centre stays on its tile.
GROUND = TerrainSpec(kinds=('hill', 'valley', 'bumps', 'steps', 'pit'), levels=3, tile=13.0,
                     border=3.0, slope=0.175, bump=0.04, step=0.05)


@dataclass(frozen=True)
class RoughLine:
    """Result on one kind of ground; each run has another direction.

    Attributes:
        kind: Kind of ground.
        share: Difficulty, as a share of :data:`GROUND`.
        runs: Number of runs.
        falls: Number of falls.
        command: Commanded forward speed [m/s].
        speed: Mean forward speed of the runs that did not fall [m/s]; None if all fell.
    """

    kind: str
    share: float
    runs: int
    falls: int
    command: float
    speed: Optional[float]


def evaluate_rough(policy: str, *, seed: int = 0, progress: Optional[Progress] = None,
                   protocol: Optional[Protocol] = None, robot: Optional[RobotSpec] = None
                   ) -> tuple[RoughLine, ...]:
    """Measure a policy on rough ground in CPU MuJoCo, the flat row first; write nothing.

    Args:
        policy: Path of the policy folder, or the name of an included policy.
        seed: Seed of every random choice.
        progress: Called with the name of the running part and the completed share of it.
        protocol: Scale, times, physics, start states and the definition of a fall; None for the
            standard one for the robot.
        robot: The robot; None for the one that the contract names.

    Raises:
        PolicyError: The policy folder is invalid.
    """
    folder = open_policy(policy, engine='onnxruntime')
    contract, robot = folder.contract, robot or load_robot(folder.contract.robot)
    check_joints(contract, robot, folder.path)
    protocol = protocol or protocol_for(robot)
    scale, runs = protocol.scale, protocol.command_runs
    ground = replace(GROUND, bump=scale.of(GROUND.bump, 'm'), step=scale.of(GROUND.step, 'm'))
    starts, ahead = Terrain(ground).starts, scale.command(AHEAD)
    # All tiles of the first row are flat, so one is enough.
    tiles = [(0, 0)] + [(level, kind) for level in range(1, GROUND.levels)
                        for kind in range(len(GROUND.kinds))]
    walk = trials.steady(protocol, contract, [ahead] * len(tiles), runs, [seed, 9])
    turns = np.tile(np.linspace(-np.pi, np.pi, runs, endpoint=False), len(tiles))
    walk = replace(walk, heading=turns,
                   places=np.repeat([starts[tile] for tile in tiles], runs, axis=0))

    def open_robots(num_envs: int) -> Any:
        return NumpyBackend(open_backend(
            protocol.simulator, robot, num_envs, protocol.physics(contract.control_period),
            joints=contract.joints, terrain=ground))

    seen = roll_out(open_robots, contract, folder.policy, walk,
                    None if progress is None else lambda share: progress('rough ground', share))
    has_fallen = metrics.fallen(seen, protocol.fall_height * robot.base_height,
                                protocol.fall_tilt)[-1]
    steady = seen.between(protocol.settle_time, protocol.settle_time + protocol.measure_time)
    speeds = metrics.mean_velocity(steady)[:, 0]
    lines = []
    for i, (level, kind) in enumerate(tiles):
        own = slice(i * runs, (i + 1) * runs)
        up = ~has_fallen[own]
        lines.append(RoughLine(
            kind='flat' if level == 0 else GROUND.kinds[kind],
            share=level / (GROUND.levels - 1), runs=runs, falls=int(runs - up.sum()),
            command=ahead[0],
            speed=round(float(speeds[own][up].mean()), 4) if up.any() else None))
    return tuple(lines)
