"""Shows a training run in a browser: the newest checkpoint walks a robot in CPU MuJoCo.

It does so in a process of its own that reads checkpoints, so training never waits for it. What is
seen is one robot without the run's randomisation, as old as the last checkpoint.
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
# What the robot is asked for in turn, as shares of the config's range: forward, left, turning.
SCENES = (('stand', (0.0, 0.0, 0.0)), ('forward', (0.5, 0.0, 0.0)), ('left', (0.0, 0.6, 0.0)),
          ('turn', (0.3, 0.0, 0.6)), ('back', (-0.6, 0.0, 0.0)))
SCENE_TIME = 4.0  # [s]
FALLEN_TIME = 1.0  # [s] for which a fallen robot is left to be seen
LOOK_PERIOD = 1.0  # [s] between two looks for the first checkpoint


class Walker:
    """One robot, walked by a checkpoint.

    Args:
        path: The checkpoint.
        robot: The robot it was trained on.

    Attributes:
        path: Likewise.
        iteration: When it was saved.
        command: (3,) velocity that is commanded; further axes are at rest.
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
        """Whether every scene was shown, or the robot has been down for a while."""
        return (self._steps * self.period >= SCENE_TIME * len(SCENES)
                or self._fallen_steps * self.period >= FALLEN_TIME)

    def step(self) -> None:
        """Go on by one control step."""
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
        """Return base position (3,), orientation (4,), joints, and velocity (3,) in heading."""
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
    """Return a walker at its beginning, of the newest checkpoint; None before the first.

    Args:
        run: The run folder.
        robot: The robot that is trained.
        now: The walker so far; it is closed.
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
        listening: Where the page is served.
        token: That lets a browser in.
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
    """The process that shows a run.

    Args:
        run: The run folder.
        robot: Folder of the robot.
        port: Where the page is served, on this machine only; the next that is free counts.

    Attributes:
        address: Of the page, with the token that lets a browser in.

    Raises:
        MissingPackageError: What a browser needs is not installed.
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
        """End it."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def check_installed() -> None:
    """Raise :class:`MissingPackageError` unless everything that a browser needs is installed."""
    for package in ('mujoco', 'scipy', 'trimesh', 'viser'):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError('--viewer web', package,
                                      "pip install 'humanoid_locomotion[viewer]'")


if __name__ == '__main__':
    torch.set_num_threads(1)  # the cores are the trainer's
    os.nice(10)
    serve(Path(sys.argv[1]), load_robot(sys.argv[2]), socket.socket(fileno=int(sys.argv[3])),
          os.environ.pop(TOKEN))
