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
