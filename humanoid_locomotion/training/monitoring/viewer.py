# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Viewer of a training run in a browser: the newest checkpoint controls a robot in CPU MuJoCo.

It runs in a separate process that reads checkpoints, so training never waits for it. It shows one
robot without the randomisation of the run, with the policy of the newest checkpoint.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Optional, Tuple

import numpy as np
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import CheckpointError, MissingPackageError
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.state import is_down
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.config_file import read_config
from humanoid_locomotion.training.export import restore
from humanoid_locomotion.training.run import checkpoint

HOST, PORT = '127.0.0.1', 8080
TOKEN = 'HUMANOID_LOCOMOTION_PAGE_TOKEN'  # in the environment, which other users cannot read
# The sequence of commands, as shares of the config's range: forward, left, turning left.
SCENES = (('stand', (0.0, 0.0, 0.0)), ('forward', (0.5, 0.0, 0.0)), ('left', (0.0, 0.6, 0.0)),
          ('turn', (0.3, 0.0, 0.6)), ('back', (-0.6, 0.0, 0.0)))
SCENE_TIME = 4.0  # [s]
FALLEN_TIME = 1.0  # [s] for which a fallen robot is shown
LOOK_PERIOD = 1.0  # [s] between two checks for the first checkpoint


class Walker:
    """One robot that is controlled by the policy of a checkpoint.

    Args:
        path: The checkpoint.
        robot: The robot it was trained on.

    Attributes:
        path: The checkpoint.
        iteration: Iteration of the checkpoint.
        command: (3,) commanded velocity; further axes are at rest.
        scene: Name of the command.
    """

    def __init__(self, path: Path, robot: RobotSpec):
        content = checkpoint.load(path, 'cpu')
        config = read_config(content['config'], path)
        self._contract = config.contract(robot)
        model = restore(content, config, self._contract)

        def policy(obs: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return model.act_mean(torch.from_numpy(obs)).numpy()

        self.path, self.iteration = path, int(content['iteration'])
        self.period = self._contract.control_period
        self._ends = config.terminations
        self._controller = Controller(self._contract, policy, 1)
        self._backend = open_backend(
            'mujoco', robot, 1, config.physics, self._contract.joints, 'cpu')
        self._reset()

    def _reset(self) -> None:
        self._backend.reset(np.ones(1, bool), self._backend.default_state())
        self._controller.reset(np.ones(1, bool))
        self._steps, self._fallen_steps = 0, 0

    @property
    def is_done(self) -> bool:
        """Whether every scene was shown, or the robot has been down for ``FALLEN_TIME``."""
        return (self._steps * self.period >= SCENE_TIME * len(SCENES)
                or self._fallen_steps * self.period >= FALLEN_TIME)

    def step(self) -> None:
        """Advance by one control step."""
        number = min(int(self._steps * self.period / SCENE_TIME), len(SCENES) - 1)
        self.scene, share = SCENES[number]
        limits = self._contract.command_limits.velocity
        wanted = np.array(share)
        self.command = np.where(
            wanted > 0.0, wanted * limits.upper, -wanted * limits.lower).astype(np.float32)
        self._backend.step(self._controller.step(
            self._backend.state(),
            self._contract.command_limits.with_velocity(self.command[None])))
        self._steps += 1
        state = self._backend.state()
        down = is_down(self._backend.truth().base_position[0, 2],
                       rotations.tilt(state.base_orientation)[0],
                       self._ends.base_height, self._ends.tilt)
        self._fallen_steps += bool(down)

    def seen(self) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the values to show.

        Returns:
            Base position (3,) [m], base orientation (4,) xyzw, joint positions [rad], and the
            velocity (3,) of the base in the heading frame [m/s].
        """
        state: Any = self._backend.state()
        truth = self._backend.truth()
        velocity = rotations.in_heading_frame(state.base_orientation, rotations.rotate(
            state.base_orientation, truth.base_linear_velocity))
        return (truth.base_position[0], state.base_orientation[0], state.joint_positions[0],
                velocity[0])

    def close(self) -> None:
        """Free the simulator."""
        self._backend.close()


def newest(run: Path, robot: RobotSpec, now: Optional[Walker]) -> Optional[Walker]:
    """Return a new walker of the newest checkpoint; None before the first checkpoint.

    Args:
        run: The run folder.
        robot: The robot that is trained.
        now: The current walker, which is closed; None for none.
    """
    try:
        path = checkpoint.latest(run)
        following = Walker(path, robot)
    except CheckpointError:  # none yet
        return now
    if now is not None:
        now.close()
    return following


def serve(run: Path, robot: RobotSpec, listening: socket.socket, token: str) -> None:
    """Show the run until the process that started this one ends.

    Args:
        run: The run folder.
        robot: The robot that is trained.
        listening: The listening socket of the page.
        token: The token that gives a browser access.
    """
    from humanoid_locomotion.sim.web.guard import Guard
    from humanoid_locomotion.sim.web.server import WebServer
    from humanoid_locomotion.sim.web.viser_scene import Scene
    server = WebServer(robot.name, listening, Guard(HOST, token), print).viser
    text = server.gui.add_markdown('waiting for the first checkpoint')
    scene, walker, parent = Scene(server, robot), None, os.getppid()
    scene.show(np.array([0.0, 0.0, robot.base_height]), np.array([0.0, 0.0, 0.0, 1.0]),
               robot.values('default'), np.zeros(3), np.zeros(3))
    while os.getppid() == parent:
        walker = newest(run, robot, walker)
        if walker is None:
            time.sleep(LOOK_PERIOD)
            continue
        due = time.monotonic()
        while not walker.is_done and os.getppid() == parent:
            walker.step()
            position, orientation, joints, velocity = walker.seen()
            scene.show(position, orientation, joints, walker.command, velocity)
            text.content = f'iteration {walker.iteration}: {walker.scene}'
            due += walker.period
            time.sleep(max(0.0, due - time.monotonic()))


class TrainingViewer:
    """The viewer process of a run.

    Args:
        run: The run folder.
        robot: Folder of the robot.
        port: First port to try; the page is served on the next free one, on this machine only.

    Attributes:
        address: Address of the page, with the token that gives a browser access.

    Raises:
        MissingPackageError: A package that the viewer needs is not installed.
    """

    def __init__(self, run: Path, robot: str, port: int = PORT):
        check_installed()
        from humanoid_locomotion.sim.web.guard import Guard, bind
        guard = Guard(HOST)
        run.mkdir(parents=True, exist_ok=True)
        with bind(HOST, port) as listening, \
                (run / 'viewer.log').open('w', encoding='utf-8') as log:
            self.address = guard.address(listening.getsockname()[1])
            self._process = subprocess.Popen(
                [sys.executable, '-m', __name__, str(run), robot, str(listening.fileno())],
                stdout=log, stderr=log, start_new_session=True, pass_fds=[listening.fileno()],
                env={**os.environ, TOKEN: guard.token})

    def close(self) -> None:
        """Kill the viewer process."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def check_installed() -> None:
    """Raise :class:`MissingPackageError` unless all packages of the viewer are installed."""
    for package in ('mujoco', 'scipy', 'trimesh', 'viser'):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError('--viewer web', package,
                                      "pip install 'humanoid_locomotion[viewer]'")


if __name__ == '__main__':
    torch.set_num_threads(1)  # leave the cores to the trainer
    os.nice(10)
    serve(Path(sys.argv[1]), load_robot(sys.argv[2]), socket.socket(fileno=int(sys.argv[3])),
          os.environ.pop(TOKEN))
