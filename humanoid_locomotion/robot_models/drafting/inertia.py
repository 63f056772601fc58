# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks the masses and inertias of a model, and corrects them if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.robot_models.drafting.questions import Questions
from humanoid_locomotion.robot_models.drafting.scene import below, rigid
from humanoid_locomotion.robot_models.mjcf_reader import matrix

TOLERANCE = 1e-3  # relative to the largest of the three; rounding of the file
LEAST = 1e-15  # [kg m^2], MuJoCo's smallest
SLACK = 2e-5  # the same, by which a corrected inertia can exist after rounding, too
LEAST_MASS = 0.01  # [kg] of a moving link that has none
LEAST_RADIUS = 0.01  # [m] of gyration
LEAST_SHARE = 0.01  # smallest moment of inertia, relative to the largest
NEGLIGIBLE = 1e-5  # [m^2] largest moment of inertia of a frame that is corrected unasked, by mass


def check_inertias(spec: Any, source: Path, fix: bool, questions: Questions) -> None:
    """Check that every link can exist, before MuJoCo compiles the model.

    No moment of inertia of a body is larger than the sum of the two others, and none is below
    zero. A link that moves has a mass.

    Args:
        spec: The model, changed if ``fix`` is set.
        source: The file, for messages.
        fix: Whether to correct values: moments are raised as little as needed, and a moving link
            without mass gets :data:`LEAST_MASS`.
        questions: Where corrections are listed.

    Raises:
        SimulationError: A link cannot exist, and ``fix`` is not set.
    """
    total = sum(body.mass for body in list(spec.bodies)[1:] if body.explicitinertial)
    for body, problem, moments, axes in _problems(spec):
        negligible = body.mass >= 0.0 and moments[2] < NEGLIGIBLE * total and any(
            _has_inertia(it) for it in rigid(body) if it is not body or not body.joints)
        if not fix and not negligible:
            raise SimulationError(f'{source}: link {body.name!r}: {problem}; correct the file, or '
                                  'give --fix-inertia')
        _write(body, moments, axes)
        if (_moves(body, spec) or body.mass < 0.0) and not body.mass > LEAST_MASS:
            body.mass = LEAST_MASS
        questions.ask('robot.xml', f'inertia corrected: {problem}', body.name)


def _problems(spec: Any) -> Iterator[Tuple[Any, str, np.ndarray, np.ndarray]]:
    """Yield each link that cannot exist, the reason, and its corrected moments and their axes."""
    for body in list(spec.bodies)[1:]:
        moments, axes = np.linalg.eigh(_tensor(body))
        axes[:, 0] *= np.sign(np.linalg.det(axes))  # a rotation, no reflection
        corrected = np.maximum(moments, LEAST_SHARE * moments[2] if moments[0] < TOLERANCE * (
            moments[2]) else 0.0)
        lacking = (1.0 + SLACK) * corrected[2] - corrected[0] - corrected[1]
        corrected[:2] += max(0.0, lacking) / 2.0
        text = ', '.join(f'{value:.6g}' for value in moments)
        is_lacking = body.mass <= 0.0 or moments[0] >= -TOLERANCE * moments[2]
        if is_lacking and _moves(body, spec) and not any(_has_inertia(it) for it in rigid(body)):
            least = max(LEAST_MASS, body.mass) * LEAST_RADIUS**2
            yield (body, f'it moves, but its mass or inertia is 0 ({max(0.0, body.mass):g} kg)',
                   np.maximum(corrected, least), axes)
        elif body.explicitinertial and body.mass < 0.0:
            yield body, f'its mass is {body.mass:g} kg', corrected, axes
        elif moments[0] < 0.0:
            yield body, (f'its principal moments of inertia are {text} kg m^2, expected none '
                         'below 0'), corrected, axes
        elif moments[2] - moments[0] - moments[1] > TOLERANCE * moments[2]:
            yield body, (f'its principal moments of inertia are {text} kg m^2, but none can be '
                         'larger than the sum of the others'), corrected, axes
        elif body.explicitinertial and (corrected != moments).any():
            # A frame without mass, or rounding; MuJoCo is stricter.
            _write(body, moments if moments[2] == 0.0 else corrected, axes)


def _moves(body: Any, spec: Any) -> bool:
    """Tell whether a link has a joint or is a base that will get one."""
    return bool(body.joints) or (
        body.parent is spec.worldbody and any(it.joints for it in below(body)))


def _write(body: Any, moments: np.ndarray, axes: np.ndarray) -> None:
    body.fullinertia, quaternion = np.full(6, np.nan), np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, axes.ravel())
    body.inertia, body.iquat, body.explicitinertial = moments, quaternion, True
    body.ipos = np.nan_to_num(body.ipos)  # not a number where the file has no inertial


def _has_inertia(body: Any) -> bool:
    if body.explicitinertial:
        return bool(body.mass > 0.0 and np.linalg.eigvalsh(_tensor(body))[0] > LEAST)
    return any(geom.mass != 0.0 for geom in body.geoms)


def _tensor(body: Any) -> np.ndarray:
    """Return the inertia of a body in the axes that its file gives it in, (3, 3) [kg m^2]."""
    if not body.explicitinertial:
        return np.zeros((3, 3))
    if np.isnan(body.fullinertia).any():
        turn = matrix(body.iquat)
        return np.asarray(turn @ np.diag(body.inertia) @ turn.T)
    xx, yy, zz, xy, xz, yz = body.fullinertia
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
