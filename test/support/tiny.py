# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small configs, environments and moments that the tests of ``training`` share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import Truth, open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.env.env import LocomotionEnv
from humanoid_locomotion.training.env.rewards.outcome import Outcome, RewardContext
from humanoid_locomotion.training.env.tracking_memory import velocity_in_heading

ROBOT = load_robot('humanoid')
FILE = config_file('training', 'humanoid')
SMALL = (
    'deployment=null',
    'run.num_envs=4', 'run.iterations=2', 'run.checkpoint_every=1', 'run.curriculum_iterations=2',
    'ppo.hidden_sizes=[16, 8]', 'ppo.rollout_steps=6', 'ppo.epochs=2', 'ppo.minibatches=2')
# Sensors that report the truth.
EXACT = ('noise.joint_position=0', 'noise.joint_velocity=0', 'noise.angular_velocity=0',
         'noise.orientation=0', 'randomization.encoder_bias=0', 'randomization.imu_tilt=0')
CALM = ('randomization.push_velocity=0', 'randomization.push_yaw_rate=0')


def mapping(*assignments: str) -> dict:
    """Give the shipped config, made small and deployed as it is trained, as plain data."""
    return to_mapping(config(*assignments))


def config(*assignments: str) -> TrainingConfig:
    """Give the shipped config, made small and deployed as it is trained."""
    return load_config(FILE, SMALL + assignments)


# Commands have a base height too, at rest that of the robot in its default pose.
WITH_HEIGHT = ('commands.limits={lin_vel_x: [-0.5, 1.0], lin_vel_y: [-0.4, 0.4], '
               'ang_vel_z: [-0.8, 0.8], base_height: [0.6, 0.9, 0.88]}')
CONTRACT = config(WITH_HEIGHT).contract(ROBOT)


def make_env(*assignments: str, seed: int = 0) -> LocomotionEnv:
    """Give an environment on the fake backend, not yet reset."""
    torch.manual_seed(seed)
    settings = config(*assignments)
    contract = settings.contract(ROBOT)
    backend = open_backend(
        'fake', ROBOT, settings.run.num_envs, settings.physics, contract.joints)
    return LocomotionEnv(settings, contract, backend, ROBOT.mass, seed)


def put(env: LocomotionEnv, robot: int, **values: object) -> None:
    """Put one robot elsewhere, the others stay: ``put(env, 1, base_position=(0, 0, 0.3))``."""
    start = env.backend.default_state()
    for key, value in values.items():
        getattr(start, key)[robot] = value
    env.backend.reset(np.arange(env.num_envs) == robot, start)


def rows(values: object) -> torch.Tensor:
    """Give one robot's figures, or several robots', as a batch."""
    if not isinstance(values, torch.Tensor):
        values = np.array(values)
    tensor = torch.as_tensor(values, dtype=torch.float32)
    return tensor if tensor.ndim > 1 else tensor[None]


def context(num_envs: int = 1) -> RewardContext:
    """Give the constants of some robots that reward terms use."""
    return RewardContext(CONTRACT, ROBOT.mass, num_envs, 'cpu')


def outcome(**changes: object) -> Outcome:
    """Give one robot that stands upright in its default pose, facing x, as told to.

    Each change is named as the field of the state, the truth or the outcome that it replaces;
    the outcome's velocity follows from the first two.
    """
    n = ROBOT.num_joints
    state = RobotState(
        joint_positions=rows(ROBOT.values('default')), joint_velocities=torch.zeros(1, n),
        base_orientation=rows([0, 0, 0, 1]), base_angular_velocity=torch.zeros(1, 3))
    load = 0.5 * context().body_weight
    truth = Truth(
        base_position=rows([0, 0, 0.88]), base_linear_velocity=torch.zeros(1, 3),
        sole_positions=rows([[[0, 0.1, 0], [0, -0.1, 0]]]), sole_velocities=torch.zeros(1, 2, 3),
        sole_normals=rows([[[0, 0, 1], [0, 0, 1]]]), sole_forces=rows([load, load]),
        peak_sole_forces=rows([load, load]), sole_slips=torch.zeros(1, 2),
        joint_torques=torch.zeros(1, n))
    o = Outcome(context=context(), state=state, truth=truth, velocity=torch.zeros(1, 3),
                command=rows([0, 0, 0, 0.88]),
                action=torch.zeros(1, n), previous_action=torch.zeros(1, n),
                joint_accelerations=torch.zeros(1, n), phase=torch.zeros(1), moving=torch.zeros(1),
                recovered=torch.ones(1),
                foot_drift=torch.zeros(1, 2, 2), tracking_error=torch.zeros(1, 3))
    tensors = {key: rows(value) for key, value in changes.items()}
    if 'command' in tensors:
        tensors['command'] = CONTRACT.command_limits.with_velocity(tensors['command'])
    for key in ('phase', 'moving', 'recovered'):
        if key in tensors:
            tensors[key] = tensors[key].reshape(-1)

    def changed(part):
        return replace(part, **{k: v for k, v in tensors.items() if k in vars(part)})

    unknown = set(tensors) - ({*vars(state), *vars(truth), *vars(o)} - {'velocity', 'context'})
    assert not unknown, unknown
    state, truth = changed(state), changed(truth)
    return replace(changed(o), state=state, truth=truth,
                   velocity=velocity_in_heading(state, truth))


def joints(**values: float) -> np.ndarray:
    """Give (num_joints,): zero but for the joints that are named."""
    return np.array([values.get(name, 0.0) for name in ROBOT.joint_names])


def random_outcome(rng: np.random.Generator, num_envs: int) -> Outcome:
    """Give robots that tumble through everything a term may ever see."""
    def normal(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return rows(scale * rng.normal(size=(num_envs, *shape)))

    def unit(*shape: int) -> torch.Tensor:
        vector = normal(*shape)
        return vector / vector.norm(dim=-1, keepdim=True)

    n = ROBOT.num_joints
    state = RobotState(
        joint_positions=rows(ROBOT.values('default')) + normal(n), joint_velocities=normal(n),
        base_orientation=unit(4), base_angular_velocity=normal(3))
    truth = Truth(
        base_position=normal(3), base_linear_velocity=normal(3), sole_positions=normal(2, 3),
        sole_velocities=normal(2, 3), sole_normals=unit(2, 3),
        sole_forces=normal(2, scale=600.0).clamp(min=0.0),
        peak_sole_forces=normal(2, scale=900.0).clamp(min=0.0), sole_slips=normal(2).abs(),
        joint_torques=normal(n, scale=50.0))
    return Outcome(
        context=context(num_envs), state=state, truth=truth,
        velocity=velocity_in_heading(state, truth), command=normal(4),
        action=normal(n), previous_action=normal(n),
        joint_accelerations=normal(n, scale=100.0),
        phase=torch.as_tensor(rng.random(num_envs), dtype=torch.float32),
        moving=torch.as_tensor(rng.random(num_envs) < 0.5).float(),
        recovered=torch.as_tensor(rng.random(num_envs) < 0.5).float(), foot_drift=normal(2, 2),
        tracking_error=normal(3))
