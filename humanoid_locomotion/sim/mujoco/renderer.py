# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Renders images of robots without a display.

MuJoCo supports one rendering backend per process, so each one is tried in a separate process.
"""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, Optional

import mujoco
import numpy as np

from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.sim.backend import PhysicsSpec, ResetState, open_backend

GL_BACKENDS = ('egl', 'osmesa')
TRAIL_SIZE, FILM_SIZE = (520, 1400), (360, 480)  # height, width
TIMEOUT = 60.0  # [s]


def trail(robot: str, poses: np.ndarray) -> Optional[np.ndarray]:
    """Return one image (height, width, 3) of a robot in every pose; None without rendering.

    Args:
        robot: The robot's name or folder.
        poses: (count, 7 + num_joints): base position [m], base orientation xyzw, joints [rad].
    """
    return _elsewhere('trail', robot, poses)


def film(robot: str, poses: np.ndarray) -> Optional[np.ndarray]:
    """Return an image for each pose (count, height, width, 3), from a following camera.

    Args:
        robot: See :func:`trail`.
        poses: See :func:`trail`.
    """
    return _elsewhere('film', robot, poses)


def _elsewhere(job: str, robot: str, poses: np.ndarray) -> Optional[np.ndarray]:
    if not len(poses):
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / 'poses.npy', Path(folder) / 'made.npy'
        np.save(given, poses)
        for way in GL_BACKENDS:
            try:
                done = subprocess.run(
                    [sys.executable, '-m', __name__, job, robot, str(given), str(made)],
                    env={**os.environ, 'MUJOCO_GL': way}, capture_output=True, timeout=TIMEOUT,
                    check=False)
            except subprocess.TimeoutExpired:
                continue
            if done.returncode == 0 and made.is_file():
                pixels: np.ndarray = np.load(made)
                return pixels
    return None


class _Stage:
    """A robot model with a camera, rendered in given poses."""

    def __init__(self, robot: RobotSpec, poses: np.ndarray, size: Any):
        count, still = len(poses), np.zeros((len(poses), 3))
        backend: Any = open_backend('mujoco', robot, count, PhysicsSpec(0.005, 1, 1, 1, 1, 1))
        backend.reset(np.ones(count, bool), ResetState(
            base_position=poses[:, :3], base_orientation=poses[:, 3:7],
            base_linear_velocity=still, base_angular_velocity=still,
            joint_positions=poses[:, 7:],
            joint_velocities=np.zeros((count, robot.num_joints))))
        self.qpos, self.model = backend.qpos, backend.model
        self.data, self.size = mujoco.MjData(self.model), size
        self.model.vis.global_.offheight, self.model.vis.global_.offwidth = size
        self.camera = mujoco.MjvCamera()
        self.height = robot.base_height

    def put(self, i: int) -> None:
        """Set the robot to pose ``i``."""
        self.data.qpos[:] = self.qpos[i]
        mujoco.mj_forward(self.model, self.data)

    def look(self, place: np.ndarray, distance: float, azimuth: float) -> None:
        """Point the camera at a place on the floor from a distance."""
        self.camera.lookat[:] = [*place, 0.8 * self.height]
        self.camera.distance = 1.9 * self.height + distance
        self.camera.azimuth, self.camera.elevation = azimuth, -10.0


def _trail(stage: _Stage, poses: np.ndarray) -> np.ndarray:
    option, nothing = mujoco.MjvOption(), mujoco.MjvPerturb()
    low, high = poses[:, :2].min(0), poses[:, :2].max(0)
    stage.look(0.5 * (low + high), 0.5 * float(np.max(high - low)), 105.0)
    with mujoco.Renderer(stage.model, *stage.size) as renderer:
        for i in range(len(poses)):
            stage.put(i)
            if i == 0:
                renderer.update_scene(stage.data, stage.camera, option)
            else:
                mujoco.mjv_addGeoms(stage.model, stage.data, option, nothing,
                                    mujoco.mjtCatBit.mjCAT_DYNAMIC, renderer.scene)
        image: np.ndarray = renderer.render()
    return image


def _film(stage: _Stage, poses: np.ndarray) -> np.ndarray:
    images, place = [], poses[0, :2]
    with mujoco.Renderer(stage.model, *stage.size) as renderer:
        for i, pose in enumerate(poses):
            place = place + 0.15 * (pose[:2] - place)  # lags, so that a push is visible
            stage.put(i)
            stage.look(place, 1.1 * stage.height, 125.0)
            renderer.update_scene(stage.data, stage.camera)
            images.append(renderer.render().copy())
    return np.stack(images)


if __name__ == '__main__':
    job, name, given, made = sys.argv[1:]
    draw, frame = {'trail': (_trail, TRAIL_SIZE), 'film': (_film, FILM_SIZE)}[job]
    poses = np.load(given)
    np.save(made, draw(_Stage(load_robot(name), poses, frame), poses))
