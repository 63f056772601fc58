# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""MuJoCo on the CPU keeps the laws of the port."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco', minversion='3.3')

from mujoco_suite import MujocoSuite
from port_suite import PHYSICS, ROBOT, N, hold, state

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.sim.backend import PhysicsVariation, open_backend
from humanoid_locomotion.sim.mujoco import model
from humanoid_locomotion.sim.mujoco.model import MujocoLayout, build_model


class TestMujoco(MujocoSuite):
    """The laws of the port, and what viewers rely on."""

    name = 'mujoco'

    def test_a_variation_leaves_the_open_model_as_it_was(self, backend):
        friction = backend.model.geom_friction.copy()
        backend.randomize(PhysicsVariation(friction=np.full(N, 0.2)))
        assert np.array_equal(backend.model.geom_friction, friction)

    def test_viewers_see_mujocos_own_positions(self, backend):
        hold(backend)
        assert backend.qpos.shape == (N, backend.model.nq)
        assert backend.qpos[:, :3] == pytest.approx(state(backend).base_position, abs=1e-6)


@pytest.mark.parametrize('version', ['3.17.0', '4.0.1'])
def test_versions_that_are_right_are_taken(version):
    model.check_version(version)


def test_the_version_whose_solver_is_wrong_is_refused(monkeypatch):
    monkeypatch.setattr(model.mujoco, '__version__', '4.0.0')
    with pytest.raises(SimulationError, match=r"MuJoCo 4.0.0 .*'mujoco>=3.17,<4'"):
        open_backend('mujoco', ROBOT, 1, PHYSICS)


def test_a_finer_step_gives_nearly_the_same_fall():
    ends = []
    for substeps in (4, 10):
        physics = dataclasses.replace(PHYSICS, timestep=0.02 / substeps, substeps=substeps)
        backend = open_backend('mujoco', ROBOT, 1, physics)
        hold(backend, 15)
        ends.append(state(backend).base_position[0])
        backend.close()
    assert ends[0] == pytest.approx(ends[1], abs=5e-3)


def test_a_model_that_does_not_load_is_named(tmp_path):
    (tmp_path / 'robot.xml').write_text('<mujoco><worldbody><bod/></worldbody></mujoco>')
    broken = dataclasses.replace(ROBOT, folder=str(tmp_path))
    with pytest.raises(SimulationError, match=r'robot\.xml: MuJoCo cannot load it'):
        open_backend('mujoco', broken, 1, PHYSICS)


@pytest.mark.parametrize('library', ['numpy', 'torch'])
def test_a_control_step_keeps_the_peak_force_and_the_mean_slip_under_load(library):
    xp = pytest.importorskip(library)
    model = build_model(ROBOT, PHYSICS, ROBOT.joints)
    layout = MujocoLayout(model, ROBOT, ROBOT.joints)
    sensors = np.zeros((1, 4, model.nsensordata), np.float32)
    (left_force, left_velocity), (right_force, right_velocity) = (
        [model.sensor(f'sole_{name}_{i}').adr[0] for name in ('force', 'velocity')]
        for i in (0, 1))
    sensors[0, :, left_force] = [0.0, 900.0, 400.0, 300.0]
    sensors[0, 0, left_velocity:left_velocity + 3] = [5.0, 0.0, 0.0]  # before it lands
    sensors[0, 1, left_velocity:left_velocity + 3] = [0.3, -0.4, 9.0]
    sensors[0, 2, left_velocity:left_velocity + 3] = [0.1, 0.0, 0.0]
    sensors[0, :, right_force] = [200.0, 4.0, 4.0, 4.0]  # then it carries next to nothing
    sensors[0, :, right_velocity] = 0.8
    qpos, qvel = np.zeros((1, model.nq), np.float32), np.zeros((1, model.nv), np.float32)
    qpos[:, 3] = 1.0
    qpos, qvel, sensors = (xp.asarray(array) for array in (qpos, qvel, sensors))
    truth = layout.truth(qpos, qvel, layout.measured(sensors))
    assert truth.sole_forces[0].tolist() == [300.0, 4.0]
    assert truth.peak_sole_forces[0].tolist() == [900.0, 200.0]
    assert truth.sole_slips[0].tolist() == pytest.approx([0.25 * (0.5 + 0.1), 0.25 * 0.8])
