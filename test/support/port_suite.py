# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every simulator behind the port must do; each backend's test inherits this class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    SimBackend,
    Truth,
    open_backend,
)

ROBOT = load_robot('humanoid')
PHYSICS = PhysicsSpec(timestep=0.005, substeps=4, solver_iterations=20,
                      line_search_iterations=20, max_constraints=200, max_contacts=48)
N = 3
ALL = np.ones(N, bool)
FACING_LEFT = np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)], np.float32)


def numpy(arrays):
    """Give a state or truth as NumPy copies, whatever the backend works on."""
    return type(arrays)(**{key: np.asarray(value).copy() for key, value in vars(arrays).items()})


def state(backend: SimBackend) -> RobotState:
    """Give the robots' state as NumPy copies."""
    return numpy(backend.state())


def truth(backend: SimBackend) -> Truth:
    """Give the truth as NumPy copies."""
    return numpy(backend.truth())


def posed(backend: SimBackend, **changes: object) -> ResetState:
    """Give the default state with some arrays changed, repeated for every robot."""
    start = vars(backend.default_state())
    return ResetState(**{key: np.array(np.broadcast_to(changes.get(key, value), value.shape),
                                       np.float32) for key, value in start.items()})


def hold(backend: SimBackend, steps: int = 1, pose: np.ndarray | None = None) -> None:
    """Step while the joints pull towards a pose, by default the default pose."""
    targets = backend.default_state().joint_positions if pose is None else pose
    for _ in range(steps):
        backend.step(JointTargets(targets))


@dataclass(frozen=True)
class Drive:
    """A joint of a contract, as a backend needs it."""

    name: str
    kp: float = 100.0
    kd: float = 5.0
    effort: float = 50.0


class PortSuite:
    """The laws of the port. A subclass names its backend.

    Attributes:
        name: Key in ``BACKENDS``.
        tolerance: Of figures that are written and read back.
    """

    name: str
    tolerance = 1e-5

    def open(self, num_envs: int = N, joints=None) -> SimBackend:
        """Open the backend on the CPU."""
        return open_backend(self.name, ROBOT, num_envs, PHYSICS, joints, 'cpu')

    @pytest.fixture
    def backend(self):
        """Give three robots in the default pose."""
        opened = self.open()
        yield opened
        opened.close()

    def test_shapes_and_types(self, backend):
        n = ROBOT.num_joints
        assert list(backend.joint_names) == ROBOT.joint_names
        hold(backend)
        for arrays, shapes in (
                (state(backend), {
                    'joint_positions': (N, n), 'joint_velocities': (N, n),
                    'base_orientation': (N, 4), 'base_angular_velocity': (N, 3),
                    'base_position': (N, 3), 'base_linear_velocity': (N, 3)}),
                (truth(backend), {
                    'base_position': (N, 3), 'base_linear_velocity': (N, 3),
                    'sole_positions': (N, 2, 3), 'sole_velocities': (N, 2, 3),
                    'sole_normals': (N, 2, 3), 'sole_forces': (N, 2),
                    'peak_sole_forces': (N, 2), 'sole_slips': (N, 2),
                    'joint_torques': (N, n)})):
            for key, shape in shapes.items():
                assert getattr(arrays, key).shape == shape, key
                assert getattr(arrays, key).dtype == np.float32, key
        norms = np.linalg.norm(state(backend).base_orientation, axis=1)
        assert norms == pytest.approx(1.0, abs=1e-5)

    def test_a_new_robot_rests_in_its_default_pose(self, backend):
        now = state(backend)
        expected = np.tile(ROBOT.values('default'), (N, 1))
        assert now.joint_positions == pytest.approx(expected, abs=1e-6)
        assert np.all(now.joint_velocities == 0.0) and np.all(now.base_angular_velocity == 0.0)
        assert now.base_orientation == pytest.approx(np.tile([0, 0, 0, 1], (N, 1)))
        assert now.base_position[:, 2] == pytest.approx(ROBOT.base_height)

    def test_a_reset_is_read_back(self, backend):
        rng = np.random.default_rng(0)
        n = ROBOT.num_joints
        wanted = posed(
            backend, base_position=rng.normal(size=(N, 3)) + [0, 0, 5],
            base_orientation=rotations.normalize(rng.normal(size=(N, 4))),
            base_linear_velocity=rng.normal(size=(N, 3)),
            base_angular_velocity=rng.normal(size=(N, 3)),
            joint_positions=rng.normal(size=(N, n)), joint_velocities=rng.normal(size=(N, n)))
        backend.reset(ALL, wanted)
        now = state(backend)
        for key in ('joint_positions', 'joint_velocities', 'base_orientation',
                    'base_angular_velocity', 'base_position'):
            assert getattr(now, key) == pytest.approx(getattr(wanted, key), abs=self.tolerance)
        in_world = rotations.rotate(now.base_orientation, now.base_linear_velocity)
        assert in_world == pytest.approx(wanted.base_linear_velocity, abs=self.tolerance)
        assert truth(backend).base_linear_velocity == pytest.approx(now.base_linear_velocity)

    def test_quaternions_are_xyzw_and_velocities_in_the_base_frame(self, backend):
        backend.reset(ALL, posed(backend, base_orientation=FACING_LEFT,
                                 base_linear_velocity=[0.0, 1.0, 0.0]))
        now = state(backend)
        assert now.base_orientation == pytest.approx(np.tile(FACING_LEFT, (N, 1)))
        assert rotations.yaw(now.base_orientation) == pytest.approx(np.pi / 2)
        # Moving along the world's y while facing it is moving forward.
        assert now.base_linear_velocity == pytest.approx(np.tile([1, 0, 0], (N, 1)), abs=1e-6)

    def test_a_reset_touches_only_the_rows_in_the_mask(self, backend):
        hold(backend, 3, backend.default_state().joint_positions + np.float32(0.2))
        before, before_truth = state(backend), truth(backend)
        mask = np.array([False, True, False])
        backend.reset(mask, posed(backend, base_position=[0.0, 0.0, 2.0]))
        after, after_truth = state(backend), truth(backend)
        for old, new in ((before, after), (before_truth, after_truth)):
            for key in vars(old):
                assert np.array_equal(getattr(new, key)[~mask], getattr(old, key)[~mask]), key
        assert after.base_position[1, 2] == pytest.approx(2.0)
        assert np.all(after.joint_velocities[1] == 0.0)

    def test_a_robot_that_was_reset_moves_like_a_new_one(self, backend):
        hold(backend, 10, backend.default_state().joint_positions + np.float32(0.3))
        backend.reset(ALL, backend.default_state())
        hold(backend, 3)
        with_history = state(backend)
        new = self.open()
        hold(new, 3)
        for key, value in vars(state(new)).items():
            assert getattr(with_history, key) == pytest.approx(value, abs=1e-4), key
        new.close()

    def test_joints_are_ordered_as_asked(self, backend):
        rng = np.random.default_rng(1)
        order = rng.permutation(ROBOT.num_joints)
        permuted = self.open(joints=[ROBOT.joints[i] for i in order])
        assert list(permuted.joint_names) == [ROBOT.joint_names[i] for i in order]
        pose = backend.default_state().joint_positions + rng.uniform(
            -0.1, 0.1, (N, ROBOT.num_joints)).astype(np.float32)
        for it, columns in ((backend, slice(None)), (permuted, order)):
            it.reset(ALL, posed(it, base_position=[0, 0, 2], joint_positions=pose[:, columns]))
            hold(it, 2, pose[:, columns] + np.float32(0.05))
        a, b = state(backend), state(permuted)
        assert b.joint_positions == pytest.approx(a.joint_positions[:, order], abs=1e-4)
        assert b.joint_velocities == pytest.approx(a.joint_velocities[:, order], abs=1e-2)
        assert truth(permuted).joint_torques == pytest.approx(
            truth(backend).joint_torques[:, order], rel=1e-2, abs=0.1)
        permuted.close()

    def test_joints_move_towards_their_targets(self, backend):
        start = posed(backend, base_position=[0.0, 0.0, 3.0])
        backend.reset(ALL, start)
        middle = 0.5 * (ROBOT.values('lower') + ROBOT.values('upper'))
        sign = np.where(middle < ROBOT.values('default'), -1.0, 1.0).astype(np.float32)
        targets = start.joint_positions + np.float32(0.1) * sign
        hold(backend, 10, targets)
        missing = np.abs(targets - state(backend).joint_positions)
        assert np.all(missing < 0.1) and np.all(missing.mean(axis=1) < 0.05)

    def test_torques_never_exceed_the_effort(self, backend):
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
        hold(backend, 1, backend.default_state().joint_positions + np.float32(5.0))
        torque = np.abs(truth(backend).joint_torques)
        assert np.all(torque <= ROBOT.values('effort') * (1 + 1e-6))
        assert np.all(torque[:, 0] == pytest.approx(ROBOT.joints[0].effort))

    def test_a_kick_adds_velocity_in_its_frames(self, backend):
        backend.reset(ALL, posed(backend, base_orientation=FACING_LEFT,
                                 base_linear_velocity=[0.0, 0.5, 0.0]))
        linear = np.array([[0.0, 0.6, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
        angular = np.array([[0.0, 0.0, 0.0], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0]], np.float32)
        backend.add_base_velocity(linear, angular)
        now = state(backend)
        # Facing left, the world's y is ahead and the world's x is to the right.
        assert now.base_linear_velocity == pytest.approx(
            np.array([[1.1, 0, 0], [0.5, -0.3, 0], [0.5, 0, 0]]), abs=1e-6)
        assert now.base_angular_velocity == pytest.approx(angular, abs=1e-6)

    def test_the_same_inputs_give_the_same_motion(self, backend):
        again = self.open()
        rng = np.random.default_rng(2)
        pose = backend.default_state().joint_positions
        for _ in range(10):
            targets = pose + rng.uniform(-0.3, 0.3, pose.shape).astype(np.float32)
            backend.step(JointTargets(targets))
            again.step(JointTargets(targets))
        for key, value in vars(state(again)).items():
            assert np.array_equal(getattr(state(backend), key), value), key
        again.close()

    def test_robots_do_not_disturb_each_other(self, backend):
        pose = backend.default_state().joint_positions
        wild = pose.copy()
        wild[1] += 0.5
        hold(backend, 5, wild)
        alone = self.open(1)
        hold(alone, 5, pose[:1])
        for key, value in vars(state(alone)).items():
            for i in (0, 2):
                assert getattr(state(backend), key)[i] == pytest.approx(value[0], abs=1e-4), key
        alone.close()

    def test_gains_of_a_robot_can_be_its_own(self, backend):
        n = ROBOT.num_joints
        scale = np.ones((N, n))
        scale[1], scale[2] = 0.5, 1.5
        backend.randomize(PhysicsVariation(kp_scale=scale, kd_scale=scale))
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
        rest = backend.default_state().joint_positions
        hold(backend, 1, rest + np.float32(0.05))
        moved = np.abs(state(backend).joint_positions - rest)[:, 0]
        assert moved[1] < moved[0] < moved[2]

    def test_a_variation_is_measured_from_the_model_not_from_the_last_one(self, backend):
        pose = backend.default_state().joint_positions + np.float32(0.05)
        for scale in (0.5, 1.0):
            backend.randomize(PhysicsVariation(kp_scale=np.full((N, ROBOT.num_joints), scale)))
        backend.reset(ALL, backend.default_state())
        plain = self.open()
        for it in (backend, plain):
            hold(it, 2, pose)
        assert state(backend).joint_positions == pytest.approx(
            state(plain).joint_positions, abs=1e-5)
        plain.close()

    def test_joints_that_nobody_commands_hold_their_default(self):
        chosen = [ROBOT.joints[i] for i in (10, 3, 0)]
        backend = self.open(joints=chosen)
        assert list(backend.joint_names) == [joint.name for joint in chosen]
        assert backend.default_state().joint_positions[0] == pytest.approx(
            [joint.default for joint in chosen])
        hold(backend, 2)
        now = state(backend)
        assert now.joint_positions.shape == truth(backend).joint_torques.shape == (N, 3)
        assert now.joint_positions == pytest.approx(
            backend.default_state().joint_positions, abs=0.1)
        backend.close()

    def test_a_joint_the_robot_lacks_is_named(self):
        with pytest.raises(ValueError, match=r"missing joints \['tail'\]"):
            self.open(joints=[Drive('tail')])

    def test_nothing_overflowed(self, backend):
        hold(backend)
        overflow = backend.overflow()
        assert overflow is None or not np.any(np.asarray(overflow))

    def test_what_followed_a_snapshot_follows_it_again(self, backend):
        rng = np.random.default_rng(0)
        rest = backend.default_state().joint_positions
        poses = [rest + rng.normal(0.0, 0.1, rest.shape).astype(np.float32) for _ in range(3)]
        hold(backend, 3, poses[0])
        snapshot = backend.snapshot()
        seen = []
        for _ in range(2):
            backend.restore(snapshot)
            for pose in poses:
                hold(backend, 1, pose)
            seen.append((state(backend), truth(backend)))
        for first, second in zip(*seen):
            for key, value in vars(first).items():
                assert value == pytest.approx(getattr(second, key), abs=self.tolerance), key
