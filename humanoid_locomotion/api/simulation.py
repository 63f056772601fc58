# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Simulation of a policy from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Union

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import PolicyFolder, open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.robot_bounds import check_joints
from humanoid_locomotion.evaluation.protocol import FULL
from humanoid_locomotion.sim.backend import SimBackend, open_backend


def make_sim(policy: Union[PolicyFolder, str, Path], num_envs: int = 1, *,
             backend: str = 'mujoco', device: str = 'auto',
             robot: Union[str, Path, None] = None) -> SimBackend:
    """Open a simulator with the robot of a policy, standing in its default pose.

    Joints have the order of the policy's contract. One ``step`` lasts its control period. The
    physics parameters are those of the scorecard.

    Args:
        policy: An opened policy, the path of its folder, or the name of an included policy.
        num_envs: Number of robots.
        backend: Name of a simulator: ``mujoco``, ``mujoco_warp``, or a registered one.
        device: ``auto``, ``cpu`` or ``cuda``.
        robot: Name or folder of the robot; None for the one that the contract names.

    Returns:
        The simulator. ``state()`` returns the state of the robots, ``step(targets)`` advances it
        by one control step, ``close()`` releases it.

    Raises:
        LocomotionError: The policy or the robot does not fit, or the simulator is not installed.
    """
    if num_envs < 1:
        raise ConfigError('make_sim', 'num_envs', f'found {num_envs}, expected 1 or more')
    folder = policy if isinstance(policy, PolicyFolder) else open_policy(policy)
    contract = folder.contract
    spec = load_robot(contract.robot if robot is None else str(robot))
    check_joints(contract, spec, folder.path)
    return open_backend(backend, spec, num_envs, FULL.physics(contract.control_period),
                        contract.joints, device)
