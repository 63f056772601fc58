# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policies for tests: one linear layer, written by the exporter that training uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec, GaitSpec
from humanoid_locomotion.core.contract import ObservationSpec, PolicyContract, contract_for
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.terms import LAYOUTS

CONTROL_PERIOD = 0.02
GOLDEN_STEPS = 64
# Ankle per radian of lean, and per rad/s of falling [s]: enough to stand for good.
LEAN_GAIN, RATE_GAIN = 1.0, 0.15


def make_contract(robot: str = 'humanoid', layout: str = 'proprioceptive') -> PolicyContract:
    """Return a contract that moves every joint of a robot."""
    return contract_for(
        load_robot(robot), control_period=CONTROL_PERIOD, action_mode='default_offset',
        action_scale=0.25, observation=ObservationSpec(layout, LAYOUTS[layout]),
        command_limits=CommandSpec.of(
            lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-1.0, 1.0)),
        gait=GaitSpec(0.8, 0.1) if layout.endswith('clock') else None,
        yaw_rate_integral=IntegralSpec(gain=1.0, limit=0.2))


def balancing_weight(contract: PolicyContract) -> np.ndarray:
    """Return a layer (num_actions, obs) that leans against falling, with the ankles."""
    builder = Controller(contract).builder
    start = {term.name: term.start for term in builder.slices}
    gravity, rate = start['projected_gravity'], start['base_angular_velocity']
    weight = np.zeros((contract.num_actions, builder.size), np.float32)
    for side in ('left', 'right'):
        # Leaning forward (positive pitch) shows as gravity along +x, leaning to the right
        # (positive roll) as gravity along -y.
        for joint, lean, sign, turn in (('pitch', 0, 1.0, 1), ('roll', 1, -1.0, 0)):
            name = f'{side}_ankle_{joint}'
            i = contract.commanded_joints.index(name)
            own = contract.joints[contract.joint_names.index(name)]
            per_radian = 1.0 / own.action_scale
            weight[i, gravity + lean] = sign * LEAN_GAIN * per_radian
            weight[i, rate + turn] = RATE_GAIN * per_radian
    return weight


def write_policy(folder: Path, contract: PolicyContract, weight: np.ndarray) -> Path:
    """Write a policy folder whose actions are ``weight @ observation``."""
    torch = pytest.importorskip('torch')
    pytest.importorskip('onnx')
    from humanoid_locomotion.training.export import write_folder
    size = weight.shape[1]
    layers = {'mean': np.zeros((1, size), np.float32),
              'inverse_std': np.ones((1, size), np.float32),
              'layers': [(weight, np.zeros(weight.shape[0], np.float32))]}
    matrix = torch.as_tensor(weight)
    folder.mkdir(parents=True, exist_ok=True)
    write_folder(folder, contract, lambda obs: obs @ matrix.T, layers, _states(contract), 'test')
    return folder


def balancing_policy(folder: Path, layout: str = 'proprioceptive') -> Path:
    """Write a policy that stands and ignores its command."""
    contract = make_contract(layout=layout)
    return write_policy(folder, contract, balancing_weight(contract))


def holding_policy(folder: Path, layout: str = 'proprioceptive') -> Path:
    """Write a policy that always gives the default pose."""
    contract = make_contract(layout=layout)
    size = Controller(contract).builder.size
    return write_policy(folder, contract, np.zeros((contract.num_actions, size), np.float32))


def _states(contract: PolicyContract) -> List[Dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    n = len(contract.joints)

    def near(center: Any, spread: float) -> np.ndarray:
        center = np.atleast_2d(center)
        return (center + spread * random.standard_normal(center.shape)).astype(np.float32)

    states = []
    for _ in range(GOLDEN_STEPS):
        orientation = near([0.0, 0.0, 0.0, 1.0], 0.1)
        states.append({
            'joint_positions': near(contract.values('default'), 0.1),
            'joint_velocities': near(np.zeros(n), 0.5),
            'base_orientation': orientation / np.linalg.norm(orientation),
            'base_angular_velocity': near(np.zeros(3), 0.2),
            'base_position': near([0.0, 0.0, 0.9], 0.05),
            'base_linear_velocity': near(np.zeros(3), 0.2),
            'command': near(contract.command_limits.rest, 0.3)})
    return states
