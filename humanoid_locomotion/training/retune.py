# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Changes gait clock and velocity feedback of an existing policy; the network is unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import MissingPackageError, PolicyError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.policy.card import read_card, without_sim_to_sim
from humanoid_locomotion.core.policy.folder import (
    ODOMETRY_KEYS,
    STATE_KEYS,
    open_policy,
    read_golden,
)
from humanoid_locomotion.core.policy.golden import record_golden
from humanoid_locomotion.core.policy.onnx_graph import open_network
from humanoid_locomotion.core.policy.writer import new_policy_folder, write_policy
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.robot_bounds import UNCLIPPED, check_contract
from humanoid_locomotion.training.export import metadata


def tune(policy: str, robot: RobotSpec, output: Path, *, gait_period: Optional[float] = None,
         yaw_rate: Optional[IntegralSpec] = None,
         linear_velocity: Optional[LinearLoopSpec] = None,
         beyond_robot: Optional[Tuple[str, ...]] = None) -> PolicyContract:
    """Write a changed copy of a policy folder, without its measurements.

    None leaves a parameter unchanged.

    Args:
        policy: A policy folder, or the name of an included policy.
        robot: The policy's robot, for the geometry of its legs.
        output: The folder to write; replaced if it exists and holds a policy.
        gait_period: Duration of one stride [s].
        yaw_rate: Feedback of the yaw rate.
        linear_velocity: Feedback of the velocity from leg odometry.
        beyond_robot: The robot's ``policy_bounds`` that the policy may exceed.

    Returns:
        The new contract. New golden steps are recorded from the same states.

    Raises:
        PolicyError: The policy does not open, exceeds the bounds of the robot, or has no gait
            clock although ``gait_period`` is given.
        MissingPackageError: onnx is not installed.
        ValueError: ``gait_period`` is not above 0.
    """
    try:
        from onnx import helper
    except ImportError as error:
        raise MissingPackageError('tune', 'onnx', 'pip install onnx') from error
    opened = open_policy(policy, engine='onnxruntime')
    changes: Dict[str, Any] = {} if yaw_rate is None else {'yaw_rate_integral': yaw_rate}
    if beyond_robot is not None:
        kept = () if opened.contract.clips_targets else (UNCLIPPED,)  # it is a part of the control
        changes['beyond_robot'] = tuple(sorted({*beyond_robot, *kept}))
    if gait_period is not None:
        if opened.contract.gait is None:
            raise PolicyError(opened.path, f'has no gait, so no stride to last {gait_period} s: '
                              'its network does not observe a gait clock')
        changes['gait'] = replace(opened.contract.gait, period=gait_period)
    if linear_velocity is not None:
        changes.update(linear_velocity_loop=linear_velocity,
                       legs=tuple(leg_spec(robot, sole) for sole in robot.soles))
    contract = replace(opened.contract, **changes)
    check_contract(contract, robot, opened.path)
    model = open_network(opened.network_path).model
    run_path = {entry.key: entry.value for entry in model.metadata_props}.get('run_path', '')
    del model.metadata_props[:]
    helper.set_model_props(model, metadata(contract, run_path))
    golden = read_golden(opened.path / 'golden.npz')
    told = (*STATE_KEYS, *ODOMETRY_KEYS, 'command')
    states = [{key: array[i:i + 1] for key, array in golden.items() if key in told}
              for i in range(len(golden['action']))]
    card = opened.path / 'card.md'
    text = without_sim_to_sim(read_card(card)) if card.is_file() else ''
    with new_policy_folder(output) as folder:
        write_policy(folder, contract, model.SerializeToString(),
                     record_golden(contract, opened.policy, states))
        if text:
            (folder / 'card.md').write_text(text, encoding='utf-8')
    return contract
