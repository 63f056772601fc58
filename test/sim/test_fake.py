# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The robot for tests keeps the laws of the port, and its physics can be worked out by hand."""

from __future__ import annotations

import numpy as np
from port_suite import ALL, PHYSICS, ROBOT, PortSuite, hold, posed, state, truth
import pytest

from humanoid_locomotion.core.errors import MissingPackageError, UnknownNameError
from humanoid_locomotion.sim.backend import BACKENDS, PhysicsSpec, _Entry, open_backend


class TestFake(PortSuite):
    """The laws of the port, and straight lines."""

    name = 'fake'

    def test_it_drifts_in_straight_lines(self, backend):
        backend.reset(ALL, posed(backend, base_linear_velocity=[0.5, 0.0, 0.0],
                                 base_angular_velocity=[0.0, 0.0, 1.0]))
        hold(backend, 50)
        assert state(backend).base_position[:, 0] == pytest.approx(0.5, abs=1e-4)
        assert truth(backend).sole_positions[:, :, 2] == pytest.approx(0.0, abs=1e-5)


def test_an_unknown_backend_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match=r"'mujocco' \(did you mean 'mujoco'\?\)"):
        open_backend('mujocco', ROBOT, 1, PHYSICS)


def test_a_simulator_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(BACKENDS, 'absent', _Entry('m', 'C', 'no_such_package', 'pip install it'))
    with pytest.raises(MissingPackageError, match=r"'no_such_package'.*: pip install it"):
        open_backend('absent', ROBOT, 1, PHYSICS)


@pytest.mark.parametrize('field', ['timestep', 'substeps', 'max_contacts'])
def test_physics_must_be_above_zero(field):
    with pytest.raises(ValueError, match=f'{field} must be above 0, found 0'):
        PhysicsSpec(**{**vars(PHYSICS), field: 0})


def test_the_control_period_is_that_of_all_substeps():
    assert PHYSICS.control_period == pytest.approx(0.02)
    assert np.isclose(PhysicsSpec(0.002, 10, 1, 1, 1, 1).control_period, 0.02)
