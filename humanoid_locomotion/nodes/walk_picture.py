"""The picture of a walk: the robot along its way, its path from above, velocities over time."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, List, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.walk_profile import Sample, Segment

# Ways of rendering without a display; MuJoCo settles on one per process, so each gets its own.
GL_BACKENDS = ('egl', 'osmesa')
FRAME_SIZE = (520, 1400)  # height, width
RENDER_TIMEOUT = 60.0  # [s]
SPACING = 0.6  # along the path, between two images of the robot [m]
LABELS = ('forward [m/s]', 'left [m/s]', 'turning [rad/s]')


def draw(path: Path, profile: Sequence[Segment], samples: Sequence[Sample], robot: str) -> None:
    """Write the picture.

    Args:
        path: The PNG file.
        profile: What was asked.
        samples: What was seen.
        robot: The robot's name or folder.
    """
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    frame = render(robot, poses_along(samples))
    figure = pyplot.figure(figsize=(12.0, 8.5 if frame is not None else 4.5),
                           layout='constrained')
    rows = 3 if frame is None else 4
    grid = figure.add_gridspec(
        rows, 2, width_ratios=(2.0, 1.0), height_ratios=[3.9] * (rows - 3) + [1.0] * 3)
    if frame is not None:
        axes = figure.add_subplot(grid[0, :])
        axes.imshow(frame)
        axes.set_axis_off()
    for i, label in enumerate(LABELS):
        _draw_velocity(figure.add_subplot(grid[rows - 3 + i, 0]), i, label, profile, samples)
    _draw_path(figure.add_subplot(grid[rows - 3:, 1]), samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def poses_along(samples: Sequence[Sample]) -> np.ndarray:
    """Return poses (count, 7 + num_joints) every :data:`SPACING` of the way, and the last."""
    chosen: List[np.ndarray] = []
    for sample in samples:
        if sample.joint_positions is None:
            continue
        pose = np.concatenate([sample.position, sample.orientation, sample.joint_positions])
        if not chosen or np.linalg.norm(pose[:2] - chosen[-1][:2]) >= SPACING:
            chosen.append(pose)
    return np.array(chosen)


def _draw_velocity(axes: Any, i: int, label: str, profile: Sequence[Segment],
                   samples: Sequence[Sample]) -> None:
    edges = np.concatenate([[0.0], np.cumsum([segment.seconds for segment in profile])])
    axes.stairs([segment.command[i] for segment in profile], edges, color='0.5',
                label='commanded', baseline=None)
    axes.plot([s.time for s in samples], [s.velocity[i] for s in samples], linewidth=0.8,
              label='achieved')
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    if i == 0:
        axes.legend(loc='upper right')
    if i == len(LABELS) - 1:
        axes.set_xlabel('time [s]')


def _draw_path(axes: Any, samples: Sequence[Sample]) -> None:
    positions = np.array([s.position[:2] for s in samples]).reshape(-1, 2)
    axes.plot(positions[:, 0], positions[:, 1])
    axes.plot(*positions[:1].T, 'o', label='start')
    axes.plot(*positions[-1:].T, 's', label='end')
    axes.set_xlabel('x [m]')
    axes.set_ylabel('y [m]')
    axes.set_title('path from above')
    axes.axis('equal')
    axes.grid(alpha=0.3)
    axes.legend()


def render(robot: str, poses: np.ndarray) -> Optional[np.ndarray]:
    """Return an image (height, width, 3) of the robot in every pose; None if nothing renders."""
    if not len(poses):
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, image = Path(folder) / 'poses.npy', Path(folder) / 'image.npy'
        np.save(given, poses)
        for backend in GL_BACKENDS:
            try:
                done = subprocess.run(
                    [sys.executable, '-m', __name__, robot, str(given), str(image)],
                    env={**os.environ, 'MUJOCO_GL': backend}, capture_output=True,
                    timeout=RENDER_TIMEOUT, check=False)
            except subprocess.TimeoutExpired:
                continue
            if done.returncode == 0 and image.is_file():
                pixels: np.ndarray = np.load(image)
                return pixels
    return None


def _render_here(robot_name: str, poses: np.ndarray) -> np.ndarray:
    import mujoco

    from humanoid_locomotion.sim.backend import PhysicsSpec, ResetState, open_backend
    robot, count = load_robot(robot_name), len(poses)
    backend: Any = open_backend('mujoco', robot, count, PhysicsSpec(0.005, 1, 1, 1, 1, 1))
    still = np.zeros((count, 3))
    backend.reset(np.ones(count, bool), ResetState(
        base_position=poses[:, :3], base_orientation=poses[:, 3:7], base_linear_velocity=still,
        base_angular_velocity=still, joint_positions=poses[:, 7:],
        joint_velocities=np.zeros((count, robot.num_joints))))
    model, data = backend.model, mujoco.MjData(backend.model)
    model.vis.global_.offheight, model.vis.global_.offwidth = FRAME_SIZE
    option, nothing = mujoco.MjvOption(), mujoco.MjvPerturb()
    with mujoco.Renderer(model, *FRAME_SIZE) as renderer:
        for i, qpos in enumerate(backend.qpos):
            data.qpos[:] = qpos
            mujoco.mj_forward(model, data)
            if i == 0:
                renderer.update_scene(data, _camera(poses), option)
            else:
                mujoco.mjv_addGeoms(model, data, option, nothing,
                                    mujoco.mjtCatBit.mjCAT_DYNAMIC, renderer.scene)
        image: np.ndarray = renderer.render()
    return image


def _camera(poses: np.ndarray) -> Any:
    """Return a camera that sees the whole way from its right-hand side."""
    import mujoco
    low, high = poses[:, :2].min(0), poses[:, :2].max(0)
    camera = mujoco.MjvCamera()
    camera.lookat[:] = [*(0.5 * (low + high)), 0.72]
    camera.distance = 1.7 + 0.5 * float(np.max(high - low))
    camera.azimuth, camera.elevation = 105.0, -10.0
    return camera


if __name__ == '__main__':
    np.save(sys.argv[3], _render_here(sys.argv[1], np.load(sys.argv[2])))
