# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Renders the animation of the report: the robot walks, is pushed, turns and stands."""

from __future__ import annotations

import base64
import io
from typing import Any, List

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.feedback.robot_size import Scale
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.evaluation.protocol import Protocol
from humanoid_locomotion.sim.backend import open_backend

# Commands [m/s, m/s, rad/s] for a robot of the usual size, clamped to the contract's ranges, and
# their durations [s].
SCENES = (((0.5, 0.0, 0.0), 3.0), ((0.4, 0.0, 0.6), 2.0), ((0.0, 0.0, 0.0), 1.5))
PUSH_TIME, PUSH_SPEED = 1.5, 0.75  # [s], [m/s] to the left
FRAME_PERIOD = 0.04  # [s], rounded to a multiple of the control period
QUALITY = 60  # of WebP


def film(folder: PolicyFolder, robot: RobotSpec, protocol: Protocol) -> str:
    """Return the animation as self-contained HTML, or a sentence with the reason it is missing.

    Args:
        folder: The policy.
        robot: The robot.
        protocol: The protocol that sets simulator, physics and scale.
    """
    try:
        import PIL  # noqa: F401

        from humanoid_locomotion.sim.mujoco import renderer
    except ImportError as error:
        return _missing(f'the package {error.name!r} is not installed')
    every = max(1, round(FRAME_PERIOD / folder.contract.control_period))
    images = renderer.film(robot.folder, poses(folder, robot, protocol)[::every])
    if images is None:
        return _missing(f'MuJoCo found no way to render, of {", ".join(renderer.GL_BACKENDS)}')
    data = base64.b64encode(webp(images, every * folder.contract.control_period)).decode('ascii')
    return (f'<img alt="the robot walks, is pushed by '
            f'{protocol.scale.of(PUSH_SPEED, "m/s"):g} m/s, turns and stands" '
            f'src="data:image/webp;base64,{data}">')


def poses(folder: PolicyFolder, robot: RobotSpec, protocol: Protocol) -> np.ndarray:
    """Return the motion of the robot, one row per control step, (steps, 7 + num_joints).

    A row is the base's position [m], its orientation xyzw and the joints of the robot [rad].
    """
    contract = folder.contract
    backend = open_backend(protocol.simulator, robot, 1,
                           protocol.physics(contract.control_period), joints=contract.joints)
    moved, joints = [robot.joint_names.index(name) for name in contract.joint_names], \
        robot.values('default').copy()
    controller, everyone, rows = Controller(contract, folder.policy, 1), np.ones(1, bool), []
    controller.reset(everyone)
    speed = protocol.scale.of(PUSH_SPEED, 'm/s')
    try:
        backend.reset(everyone, backend.default_state())
        for step, command in enumerate(_commands(contract, protocol.scale)):
            if step == round(PUSH_TIME / contract.control_period):
                heading = rotations.yaw_quaternion(
                    rotations.yaw(backend.state().base_orientation))
                push = rotations.rotate(heading, np.array([[0.0, speed, 0.0]], np.float32))
                backend.add_base_velocity(push, np.zeros_like(push))
            backend.step(controller.step(backend.state(), command))
            state: Any = backend.state()
            joints[moved] = state.joint_positions[0]
            rows.append(np.concatenate([
                backend.truth().base_position[0], state.base_orientation[0], joints]))
    finally:
        backend.close()
    return np.stack(rows)


def _commands(contract: Any, scale: Scale) -> List[np.ndarray]:
    spec = contract.command_limits
    return [spec.with_velocity(spec.velocity.clamp(
        np.array([scale.command(velocity)], np.float32)))
            for velocity, seconds in SCENES
            for _ in range(round(seconds / contract.control_period))]


def webp(images: np.ndarray, period: float) -> bytes:
    """Return images (count, height, width, 3) as an animated WebP, each shown for a period [s]."""
    from PIL import Image
    first, *others = (Image.fromarray(image) for image in images)
    written = io.BytesIO()
    first.save(written, 'WEBP', save_all=True, append_images=others, loop=0, quality=QUALITY,
               duration=round(1e3 * period))
    return written.getvalue()


def _missing(why: str) -> str:
    return f'<p class="note">No film: {why}.</p>'
