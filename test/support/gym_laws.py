# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""One short run of an Isaac Gym backend against MuJoCo that no wrong adapter survives.

The mutants of the backend are judged by it; so it looks at everything, twice: on new robots and
after resets, kicks and a restore in mid-run.
"""

from __future__ import annotations

import dataclasses
import sys

import fake_gym
import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
    open_backend,
)


def damped() -> RobotSpec:
    """Give the humanoid with joints that brake themselves, as a Unitree H1's do."""
    robot, folder = load_robot('humanoid'), fake_gym.temporary('damped_')
    for path, old, new in (
            (robot.mjcf_path, 'damping="0"', 'damping="0.7"'),
            (robot.urdf_path, '<limit ', '<dynamics damping="0.7"/><limit ')):
        text = path.read_text(encoding='utf-8')
        assert old in text
        (folder / path.name).write_text(text.replace(old, new), encoding='utf-8')
    return dataclasses.replace(robot, folder=str(folder))


ROBOT = damped()
N = 2
# So fine that the two ways of integrating the PD law, explicit and implicit, hardly differ.
PHYSICS = PhysicsSpec(timestep=0.0005, substeps=10, solver_iterations=50,
                      line_search_iterations=50, max_constraints=200, max_contacts=48)
# Neither the robot's order nor Isaac Gym's, and two bent joints that nobody commands.
JOINTS = [ROBOT.joints[i] for i in np.random.default_rng(0).permutation(23)
          if ROBOT.joints[i].name not in ('right_knee', 'left_elbow')]
COARSE = dataclasses.replace(PHYSICS, timestep=0.005, substeps=4)
STATE = ('joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity',
         'base_position', 'base_linear_velocity')
TRUTH = ('sole_positions', 'sole_velocities', 'sole_normals', 'sole_forces',
         'peak_sole_forces', 'sole_slips', 'joint_torques')
# What the two ways of integrating may differ by, in each figure's unit; none hides a mistake.
TOLERANCE = {
    'joint_positions': 2e-3, 'joint_velocities': 0.3, 'base_orientation': 3e-4,
    'base_angular_velocity': 0.04, 'base_position': 1e-4, 'base_linear_velocity': 6e-3,
    'sole_positions': 2e-3, 'sole_velocities': 0.1, 'sole_normals': 3e-3, 'sole_forces': 200.0,
    'peak_sole_forces': 200.0, 'sole_slips': 0.1, 'joint_torques': 2.0}


def variation(rng: np.random.Generator) -> PhysicsVariation:
    """Give physics that differ from the model's and from robot to robot."""
    m = len(JOINTS)
    return PhysicsVariation(
        friction=np.array([0.3, 0.9]), mass_scale=np.array([0.6, 1.3]),
        payload=np.array([9.0, -4.0]), com_offset=rng.uniform(-0.05, 0.05, (N, 3)),
        kp_scale=rng.uniform(0.8, 1.2, (N, m)), kd_scale=rng.uniform(0.8, 1.2, (N, m)))


def tumbling(backend: SimBackend, rng: np.random.Generator, height: float) -> ResetState:
    """Give robots that turn and move in every direction."""
    start = vars(backend.default_state())
    m = len(JOINTS)
    turn = np.array([[0.1, -0.2, 0.5, 0.8], [-0.3, 0.1, -0.6, 0.7]], np.float32)
    return ResetState(**{**start, **{key: np.asarray(value, np.float32) for key, value in {
        'base_position': [[0.3, -0.2, height], [-0.4, 0.1, height + 0.2]],
        'base_orientation': rotations.normalize(turn),
        'base_linear_velocity': rng.uniform(-1, 1, (N, 3)),
        'base_angular_velocity': rng.uniform(-4, 4, (N, 3)),
        'joint_positions': start['joint_positions'] + rng.uniform(-0.1, 0.1, (N, m)),
        'joint_velocities': rng.uniform(-1, 1, (N, m))}.items()}})


def sliding(backend: SimBackend) -> ResetState:
    """Give robots that stand and slide, so that feet rub and carry."""
    start = vars(backend.default_state())
    return ResetState(**{**start, 'base_linear_velocity': np.tile(
        np.array([[0.0, 0.8, 0.0]], np.float32), (N, 1))})


def differences(one: SimBackend, other: SimBackend) -> dict[str, float]:
    """Give the largest difference of every figure, in units of its tolerance."""
    found = {}
    for names, arrays, others in ((STATE, one.state(), other.state()),
                                  (TRUTH, one.truth(), other.truth())):
        for name in names:
            here, there = (np.asarray(getattr(it, name)) for it in (arrays, others))
            assert here.dtype == np.float32 and here.shape == there.shape, name
            assert np.isfinite(here).all(), f'{name} is not finite'
            found[name] = float(np.abs(here - there).max()) / TOLERANCE[name]
    return found


def agree(one: SimBackend, other: SimBackend, when: str, factor: float = 1.0) -> None:
    """Assert that two simulators show the same, within a factor on the tolerances."""
    worst = differences(one, other)
    assert max(worst.values()) <= factor, (when, worst)


def judge(backend: SimBackend, reference: SimBackend) -> None:
    """Put both through the same and assert that they agree all along."""
    both, rng = (backend, reference), np.random.default_rng(1)
    physics = variation(rng)
    for it in both:
        it.randomize(physics)
    agree(*both, 'at the start')
    everyone, first = np.ones(N, bool), np.array([True, False])
    rest = backend.default_state().joint_positions

    def step(times: int = 1) -> None:
        for _ in range(times):
            targets = JointTargets(rest + rng.uniform(-0.1, 0.1, rest.shape).astype(np.float32))
            for it in both:
                it.step(targets)

    def reset(mask: np.ndarray, start: ResetState) -> None:
        for it in both:
            it.reset(mask, start)

    def kick() -> None:
        linear = np.array([[0.5, -0.4, 0.1], [0.0, 0.0, 0.0]], np.float32)
        angular = np.array([[0.3, 0.2, -0.5], [0.0, 0.0, 0.0]], np.float32)
        for it in both:
            it.add_base_velocity(linear, angular)

    reset(everyone, sliding(backend))
    for _ in range(4):
        step(2)
        agree(*both, 'sliding')
    reset(everyone, tumbling(backend, rng, 3.0))
    agree(*both, 'after a reset')
    step(6)
    agree(*both, 'tumbling')
    kick()
    agree(*both, 'after a kick')
    step()
    agree(*both, 'a step after a kick')
    reset(first, tumbling(backend, rng, 4.0))
    agree(*both, 'after a reset of one robot')
    kick()  # two writes of a state, but one call before the next step
    step()
    agree(*both, 'after reset and kick')
    kept = [it.snapshot() for it in both]
    step()
    for it, snapshot in zip(both, kept):
        it.restore(snapshot)
    step()
    agree(*both, 'after a restore')
    for it in both:  # more than the drives can give
        it.step(JointTargets(rest + np.float32(3.0)))
    agree(*both, 'with saturated drives', 4.0)


def gap_of_crossing_legs(backend: SimBackend) -> float:
    """Give how far apart the soles are [m] of robots that try to cross their legs in the air."""
    start = vars(backend.default_state())
    roll = {'left_hip_roll': -0.4, 'right_hip_roll': 0.4}
    pose = np.array([[roll.get(name, 0.0) for name in backend.joint_names]], np.float32)
    backend.reset(np.ones(N, bool), ResetState(
        **{**start, 'base_position': start['base_position'] + np.float32([0, 0, 2])}))
    for _ in range(40):
        backend.step(JointTargets(start['joint_positions'] + pose))
    soles = np.asarray(backend.truth().sole_positions)
    return float((soles[:, 0, 1] - soles[:, 1, 1]).min())


def unseen_peaks(backend: SimBackend) -> float:
    """Give by how much [N] a foot that lands pressed harder than when its step ended."""
    start = vars(backend.default_state())
    backend.reset(np.ones(N, bool), ResetState(
        **{**start, 'base_position': start['base_position'] + np.float32([0, 0, 0.02])}))
    unseen = []
    for _ in range(6):
        backend.step(JointTargets(start['joint_positions']))
        truth = backend.truth()
        unseen.append(np.asarray(truth.peak_sole_forces) - np.asarray(truth.sole_forces))
    assert np.min(unseen) >= 0.0, 'a peak is below the last force'
    return float(np.max(unseen))


def open_reference() -> SimBackend:
    """Give MuJoCo's own backend."""
    return open_backend('mujoco', ROBOT, N, PHYSICS, JOINTS, 'cpu')


def judge_class(cls: type) -> None:
    """Judge a backend class; raise if it is not as MuJoCo's, or does what is forbidden."""
    fake_gym.violations()
    cls.max_simulations = sys.maxsize
    reference = open_reference()
    backend = cls(ROBOT, N, PHYSICS, JOINTS, 'cpu')
    try:
        judge(backend, reference)
    finally:
        backend.close(), reference.close()
    backend = cls(ROBOT, N, COARSE, JOINTS, 'cpu')
    gap, unseen = gap_of_crossing_legs(backend), unseen_peaks(backend)
    backend.close()
    assert 0.05 < gap < 0.2, f'legs that cross stop each other, and nothing else: {gap} m'
    assert unseen > 100.0, f'the peak of a landing lies between two control steps: {unseen} N'
    found = fake_gym.violations()
    assert found == [], found
