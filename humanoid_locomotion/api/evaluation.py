# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a policy from Python."""

from __future__ import annotations

from pathlib import Path
import tempfile
from typing import Callable, Optional, Union

from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation.evaluate import evaluate as run_protocol
from humanoid_locomotion.evaluation.scorecard import Scorecard


def evaluate(policy: Union[PolicyFolder, str, Path], *, quick: bool = False, seed: int = 0,
             output: Union[str, Path, None] = None, robot: Union[str, Path, None] = None,
             progress: Optional[Callable[[str, float], None]] = None) -> Scorecard:
    """Measure a policy in MuJoCo: tracking, standing, pushes, other floors, effort.

    Args:
        policy: An opened policy, the path of its folder, or the name of an included policy.
        quick: Run fewer trials; the scorecard records it.
        seed: Seed of every random choice.
        output: Folder to write ``scorecard.json``, ``scorecard.png`` and ``field.png`` to; None
            to write nothing.
        robot: Name or folder of the robot; None for the one that the contract names.
        progress: Called with the name of the running part and the completed share of it, 0 to 1.

    Returns:
        The scorecard: ``passed``, ``criteria`` (one line each) and all measured values.

    Raises:
        LocomotionError: The policy does not open or does not fit the robot.
    """
    name = str(policy.path if isinstance(policy, PolicyFolder) else policy)
    spec = None if robot is None else load_robot(robot)
    with tempfile.TemporaryDirectory() as scratch:
        return run_protocol(name, output=Path(scratch if output is None else output),
                            quick=quick, seed=seed, progress=progress, robot=spec)
