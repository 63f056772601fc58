# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cost and error of physics settings, relative to MuJoCo on the CPU with a finer time step.

From states of a walking policy, one control step is taken with the same targets, once by the
backend with each setting and once by the reference. The differences are the error of a setting;
its cost is the time of a captured step of all robots while they walk.
"""

from __future__ import annotations

from dataclasses import replace
import math
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import torch

from humanoid_locomotion.benchmarks.throughput import PhysicsReplay, Recording, timed
from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import PhysicsSpec, ResetState, open_backend
from humanoid_locomotion.training.run.trainer import Trainer

WALK_STEPS = 100  # control steps before the first state
STATES = 10  # states per compared robot, four control steps apart
COMPARED = 64  # robots compared with the reference
REFERENCE_SUBSTEPS = 20  # substeps of the reference per substep of the config
TIMED_STEPS = 20

# Solver iterations, line search iterations, physics steps per control step.
SETTINGS: Tuple[Tuple[int, int, int], ...] = (
    (50, 50, 4), (20, 20, 4), (10, 20, 4), (8, 12, 4), (5, 10, 4), (3, 6, 4), (2, 4, 4),
    (1, 4, 4), (8, 12, 2), (5, 10, 2), (8, 12, 8))


def study(trainer: Trainer, backend: str,
          settings: Sequence[Tuple[int, int, int]] = SETTINGS) -> List[Dict[str, Any]]:
    """Return a row per setting: its values, its time and its differences to the reference."""
    physics = trainer.config.physics
    moments = _walk(trainer)
    recording = Recording(trainer.backend, lambda: trainer.collector.run_eagerly(TIMED_STEPS))
    fine = replace(
        physics, timestep=physics.timestep / REFERENCE_SUBSTEPS,
        substeps=physics.substeps * REFERENCE_SUBSTEPS, solver_iterations=100,
        line_search_iterations=50)
    n = moments[0][1].shape[0]
    reference = _step_all('mujoco', trainer.robot, fine, n, moments, 'cpu')
    rows = []
    for iterations, line_search, substeps in settings:
        setting = replace(
            physics, solver_iterations=iterations, line_search_iterations=line_search,
            substeps=substeps, timestep=physics.control_period / substeps)
        got = _step_all(backend, trainer.robot, setting, n, moments, trainer.device)
        rows.append({
            'solver_iterations': iterations, 'line_search_iterations': line_search,
            'substeps': substeps, **_differences(got, reference),
            'step_ms': 1e3 * _time(backend, trainer, setting, recording)})
    return rows


def room_used(trainer: Trainer, steps: int = 200) -> Dict[str, Dict[str, float]]:
    """Return the largest use of constraint and contact arrays, with their allocated sizes.

    Robots first walk, and then tumble under actions like those of an untrained policy; the use is
    read after every control step.
    """
    physics, backend, log_std = trainer.config.physics, trainer.backend, trainer.model.log_std
    rows = {'budget': {'constraints': float(physics.max_constraints),
                       'contacts': float(physics.max_contacts)}}
    for name, std in (('walking', float(log_std.detach().exp().mean())), ('tumbling', 1.0)):
        log_std.data.fill_(math.log(std))
        most = {what: torch.zeros_like(value) for what, value in backend.room_used().items()}
        for _ in range(steps):
            trainer.collector.run_eagerly(1)
            for what, value in backend.room_used().items():
                torch.maximum(most[what], value, out=most[what])
        rows[name] = {what: float(value) for what, value in most.items()}
    return rows


def _walk(trainer: Trainer) -> List[Tuple[ResetState, torch.Tensor]]:
    """Return states of some robots, with their joint targets."""
    moments: List[Tuple[ResetState, torch.Tensor]] = []
    backend, step = trainer.backend, trainer.backend.step

    def noted(targets: JointTargets) -> None:
        moments.append((_reset_state(backend.state()),
                        torch.as_tensor(targets.positions)[:COMPARED].clone()))
        step(targets)

    trainer.collector.run_eagerly(WALK_STEPS)
    backend.step = noted  # type: ignore[method-assign]
    try:
        trainer.collector.run_eagerly(4 * STATES)
    finally:
        del backend.step
    return moments[::4]


def _reset_state(state: RobotState) -> ResetState:
    rows = {key: torch.as_tensor(value)[:COMPARED].clone() for key, value in vars(state).items()}
    rows['base_linear_velocity'] = rotations.rotate(
        rows['base_orientation'], rows['base_linear_velocity'])
    return ResetState(**rows)


def _step_all(name: str, robot: RobotSpec, physics: PhysicsSpec, n: int,
              moments: List[Tuple[ResetState, torch.Tensor]], device: str) -> List[RobotState]:
    backend = open_backend(name, robot, n, physics, device=device)
    everyone = torch.ones(n, dtype=torch.bool, device=device)
    states = []
    for start, targets in moments:
        here = {key: value.to(device) for key, value in vars(start).items()}
        backend.reset(everyone, ResetState(**here))
        backend.step(JointTargets(targets.to(device)))
        states.append(RobotState(**{key: torch.as_tensor(value).cpu().numpy().copy()
                                    for key, value in vars(backend.state()).items()}))
    backend.close()
    return states


def _differences(got: List[RobotState], reference: List[RobotState]) -> Dict[str, float]:
    """Return root mean square differences after one control step."""
    def rms(key: str) -> float:
        squares = [np.square(getattr(a, key) - getattr(b, key)) for a, b in zip(got, reference)]
        return float(np.sqrt(np.mean(squares)))

    return {'joint_position_mrad': 1e3 * rms('joint_positions'),
            'joint_velocity': rms('joint_velocities'),
            'base_velocity_mm_s': 1e3 * rms('base_linear_velocity'),
            'base_height_mm': 1e3 * rms('base_position')}


def _time(name: str, trainer: Trainer, physics: PhysicsSpec, recording: Recording) -> float:
    """Return the seconds of a control step of all robots, over recorded steps of a walk."""
    backend = open_backend(
        name, trainer.robot, trainer.env.num_envs, physics, device=trainer.device)
    replay = PhysicsReplay(backend, recording, trainer.use_graph)
    replay.run()
    seconds = timed(replay.run, trainer.device) / len(recording.targets)
    backend.close()
    return seconds
