# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What both MuJoCo backends must do beyond the port: a floor, weight, friction and masses."""

from __future__ import annotations

import numpy as np
from port_suite import ALL, ROBOT, N, PortSuite, hold, posed, state, truth
import pytest

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.sim.backend import CONTACT_FORCE, PhysicsVariation

WEIGHT = 9.81 * ROBOT.mass
SETTLE = 15  # control steps; from the default pose it stands still for longer than that


class MujocoSuite(PortSuite):
    """The laws of a simulator with contacts."""

    def test_the_soles_carry_the_weight(self, backend):
        assert np.all(truth(backend).sole_forces == 0.0)  # not measured yet
        hold(backend, SETTLE)
        now = truth(backend)
        assert now.sole_forces.sum(axis=1) == pytest.approx(WEIGHT, rel=0.05)
        assert now.sole_forces[:, 0] == pytest.approx(now.sole_forces[:, 1], rel=0.02)
        assert np.all(np.abs(now.sole_positions[:, :, 2]) < 0.02)
        assert np.all(now.sole_positions[:, 0, 1] > now.sole_positions[:, 1, 1])  # left first
        assert np.all(now.sole_normals[:, :, 2] > 0.99)
        assert np.all(np.linalg.norm(now.sole_velocities, axis=-1) < 0.1)

    def test_a_landing_between_two_control_steps_is_seen(self, backend):
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, ROBOT.base_height + 0.02],
                                 base_linear_velocity=[0.3, 0.0, 0.0]))
        peaks, ends, slips, speeds = [], [], [], []
        for _ in range(SETTLE):
            hold(backend, 1)
            now = truth(backend)
            peaks.append(now.peak_sole_forces)
            ends.append(now.sole_forces)
            slips.append(now.sole_slips)
            speeds.append(np.linalg.norm(now.sole_velocities[..., :2], axis=-1))
        peaks, ends, slips, speeds = map(np.array, (peaks, ends, slips, speeds))
        assert np.all(peaks >= ends) and np.any(peaks > ends + 100.0)
        in_the_air = peaks <= CONTACT_FORCE
        assert np.any(in_the_air) and np.all(slips[in_the_air] == 0.0)
        assert np.all(speeds[in_the_air] > 0.1)
        assert slips.max() > 0.01 and np.all(slips[-1] < 0.01)

    def test_what_the_feet_did_before_a_reset_is_forgotten(self, backend):
        hold(backend, SETTLE)
        backend.reset(np.arange(N) == 1, backend.default_state())
        now = truth(backend)
        for figures in (now.sole_forces, now.peak_sole_forces, now.sole_slips):
            assert np.all(figures[1] == 0.0)
        assert np.all(now.peak_sole_forces[[0, 2]] > 50.0)

    def test_in_the_air_nothing_carries_and_everything_falls(self, backend):
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
        hold(backend, 5)
        now = truth(backend)
        assert np.all(now.sole_forces == 0.0)
        assert now.base_linear_velocity[:, 2] == pytest.approx(-9.81 * 0.1, rel=0.05)
        # As long as a step is, what lies at the feet is one physics step old.
        assert now.sole_velocities[:, :, 2] == pytest.approx(-9.81 * 0.095, rel=0.15)

    def test_a_kick_moves_the_robot(self, backend):
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
        kick = np.array([[0, 0, 0], [2, 0, 0], [0, -2, 0]], np.float32)
        backend.add_base_velocity(kick, 0 * kick)
        hold(backend, 5)
        moved = state(backend).base_position[:, :2]
        assert moved[1, 0] > 0.1 > abs(moved[1, 1])
        assert moved[2, 1] < -0.1
        assert np.abs(moved[0]).max() < 0.01

    def test_heavier_robots_press_harder(self, backend):
        scale = np.array([0.9, 1.0, 1.1])
        backend.randomize(PhysicsVariation(mass_scale=scale))
        hold(backend, SETTLE)
        assert truth(backend).sole_forces.sum(axis=1) == pytest.approx(WEIGHT * scale, rel=0.05)

    def test_a_payload_is_carried(self, backend):
        payload = np.array([0.0, 3.0, -3.0])
        backend.randomize(PhysicsVariation(payload=payload))
        hold(backend, SETTLE)
        assert truth(backend).sole_forces.sum(axis=1) == pytest.approx(
            WEIGHT + 9.81 * payload, rel=0.05)

    def test_a_load_in_a_hand_is_carried_on_its_side(self, backend):
        load = np.array([0.0, 1.0, 2.0])
        backend.randomize(PhysicsVariation(link_payload={'left_elbow_link': load}))
        hold(backend, SETTLE)
        forces = truth(backend).sole_forces
        assert forces.sum(axis=1) == pytest.approx(WEIGHT + 9.81 * load, rel=0.05)
        more_left = forces[:, 0] - forces[:, 1]
        assert more_left[2] > more_left[1] + 5.0 > more_left[0] + 10.0

    def test_a_load_on_a_link_that_is_not_there_is_refused(self, backend):
        with pytest.raises(UnknownNameError, match=r"unknown link 'left_hand'.*left_elbow_link"):
            backend.randomize(PhysicsVariation(link_payload={'left_hand': np.zeros(3)}))

    def test_a_payload_sits_on_the_trunk(self, backend):
        """In the air, a waist that bends turns the lighter end: here ever more the legs."""
        bow = backend.default_state().joint_positions.copy()
        bow[:, ROBOT.joint_names.index('torso_pitch')] += 0.3
        backend.randomize(PhysicsVariation(payload=np.array([0.0, 4.0, 8.0])))
        backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
        hold(backend, 5, bow)
        turned = -rotations.projected_gravity(state(backend).base_orientation)[:, 0]
        assert abs(turned[2]) > 1.02 * abs(turned[1]) > 1.04 * abs(turned[0]) > 0.01

    def test_slippery_feet_slide_further(self, backend):
        backend.randomize(PhysicsVariation(friction=np.array([0.1, 0.5, 1.0])))
        backend.reset(ALL, posed(backend, base_linear_velocity=[0.0, 1.0, 0.0]))
        hold(backend, 8)
        slid = truth(backend).sole_positions[:, :, 1].mean(axis=1)
        assert slid[0] > slid[1] + 0.005 and slid[0] > slid[2] + 0.005

    def test_a_shifted_centre_of_mass_tips_the_robot(self, backend):
        offset = np.zeros((N, 3))
        offset[1, 0], offset[2, 0] = 0.1, -0.1
        backend.randomize(PhysicsVariation(com_offset=offset))
        hold(backend, SETTLE)
        pitch_rate = state(backend).base_angular_velocity[:, 1]
        assert pitch_rate[1] > pitch_rate[0] > pitch_rate[2]

    def test_held_joints_carry_the_robot(self):
        legs = [joint for joint in ROBOT.joints if joint.name.startswith(('left', 'right'))]
        backend = self.open(joints=legs[::-1])
        whole = self.open()
        for it in (backend, whole):
            hold(it, SETTLE)
        assert state(backend).base_position == pytest.approx(
            state(whole).base_position, abs=2e-3)
        backend.close(), whole.close()
