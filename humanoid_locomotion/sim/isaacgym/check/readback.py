# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions about what Isaac Gym says of its robots: links, joints and shapes."""

from __future__ import annotations

from typing import Callable, List

import numpy as np

from humanoid_locomotion.sim.isaacgym import scene
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.questions.bench import Bench, Finding, near

JOINT = {'lower': 'lower', 'upper': 'upper', 'velocity': 'velocity', 'effort': 'effort',
         'armature': 'armature'}


def findings(bench: Bench, backend: IsaacGymBackend) -> List[Finding]:
    """Compare the properties of all robots, varied ones included, with the wanted ones."""
    rows, names = backend.properties(), backend.body_names()
    order, bodies = [bench.bodies.names.index(name) for name in names], bench.bodies
    wanted = bench.subjects.variation.friction
    assert wanted is not None

    def read(get: Callable[[scene.Properties], np.ndarray]) -> np.ndarray:
        return np.array([get(row) for row in rows], np.float64)

    moments = np.linalg.eigvalsh(bodies.inertias[:, order])
    joints = {joint.name: joint for joint in bench.robot.joints}
    found = [
        near('masses of the links, of those wanted',
             (read(lambda it: it.masses) / bodies.masses[:, order]).ravel(), 1.0, 1e-3, '',
             names * len(rows)),
        near('centres of mass, from those wanted',
             np.abs(read(lambda it: it.centres) - bodies.centres[:, order]).max(-1).ravel(),
             0.0, 1e-4, 'm', names * len(rows)),
        near('principal moments of inertia, of those wanted',
             (np.linalg.eigvalsh(read(lambda it: it.inertias)) / moments).ravel(), 1.0, 0.01, '',
             list(np.repeat(names * len(rows), 3))),
        near('friction of the shapes, from that wanted', (read(lambda it: it.frictions) - (
            scene.friction(wanted).shapes[:, None])).ravel(), 0.0, 1e-3)]
    for field, key in JOINT.items():
        expected = np.array([getattr(joints[name], key) for name in backend.dof_names()])
        gap = read(lambda it, field=field: it.dofs[field]) - expected  # type: ignore[misc]
        found.append(near(f'{field} of the joints, from that of robot.yaml', gap.ravel(), 0.0,
                          1e-3, '', backend.dof_names() * len(rows)))
    return found
