"""The picture of a walk: the path from above, velocities over time, and the robot itself."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.walk_profile import Sample, Segment

# Ways of rendering without a display; MuJoCo settles on one per process, so each gets its own.
GL_BACKENDS = ('egl', 'osmesa')
FRAME_SIZE = (480, 320)  # height, width; within MuJoCo's default of 480 by 640
RENDER_TIMEOUT = 60.0  # [s]
LABELS = ('forward [m/s]', 'left [m/s]', 'turning [rad/s]')


def draw(path: Path, profile: Sequence[Segment], samples: Sequence[Sample], robot: str,
         joint_positions: Optional[np.ndarray]) -> None:
    """Write the picture.

    Args:
        path: The PNG file.
        profile: What was asked.
        samples: What was seen.
        robot: The robot's name or folder.
        joint_positions: (num_joints,) of the last sample, in the robot's order; None if unknown.
    """
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(12.0, 6.0), layout='constrained')
    grid = figure.add_gridspec(3, 3, width_ratios=(2.0, 1.5, 1.2))
    for i, label in enumerate(LABELS):
        _draw_velocity(figure.add_subplot(grid[i, 0]), i, label, profile, samples)
    frame = None if joint_positions is None or not samples else render(
        robot, samples[-1].position, samples[-1].orientation, joint_positions)
    _draw_path(figure.add_subplot(grid[:, 1] if frame is not None else grid[:, 1:]), samples)
    if frame is not None:
        axes = figure.add_subplot(grid[:, 2])
        axes.imshow(frame)
        axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


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


def render(robot: str, position: np.ndarray, orientation: np.ndarray,
           joint_positions: np.ndarray) -> Optional[np.ndarray]:
    """Return an image (height, width, 3) of the robot; None where nothing can render."""
    with tempfile.TemporaryDirectory() as folder:
        pose, image = Path(folder) / 'pose.npy', Path(folder) / 'image.npy'
        np.save(pose, np.concatenate([position, orientation, joint_positions]))
        for backend in GL_BACKENDS:
            try:
                done = subprocess.run(
                    [sys.executable, '-m', __name__, robot, str(pose), str(image)],
                    env={**os.environ, 'MUJOCO_GL': backend}, capture_output=True,
                    timeout=RENDER_TIMEOUT, check=False)
            except subprocess.TimeoutExpired:
                continue
            if done.returncode == 0 and image.is_file():
                pixels: np.ndarray = np.load(image)
                return pixels
    return None


def _render_here(robot_name: str, pose: np.ndarray) -> np.ndarray:
    import mujoco

    from humanoid_locomotion.sim.backend import PhysicsSpec, ResetState, open_backend
    robot = load_robot(robot_name)
    backend: Any = open_backend('mujoco', robot, 1, PhysicsSpec(0.005, 1, 1, 1, 1, 1))
    none = np.zeros((1, 3))
    backend.reset(np.ones(1, bool), ResetState(
        base_position=pose[None, :3], base_orientation=pose[None, 3:7],
        base_linear_velocity=none, base_angular_velocity=none,
        joint_positions=pose[None, 7:], joint_velocities=np.zeros((1, robot.num_joints))))
    model, data = backend.model, mujoco.MjData(backend.model)
    data.qpos[:] = backend.qpos[0]
    mujoco.mj_forward(model, data)
    camera = mujoco.MjvCamera()
    camera.lookat[:] = data.body(robot.base_link).xpos
    camera.distance, camera.azimuth, camera.elevation = 2.4, 130.0, -15.0
    with mujoco.Renderer(model, *FRAME_SIZE) as renderer:
        renderer.update_scene(data, camera)
        image: np.ndarray = renderer.render()
    return image


if __name__ == '__main__':
    np.save(sys.argv[3], _render_here(sys.argv[1], np.load(sys.argv[2])))
