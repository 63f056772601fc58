# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""All questions to an installed Isaac Gym, in one simulation, and the facts of the machine.

The unit tests of the package run on a fake of Isaac Gym. These questions measure the real one.
"""

from __future__ import annotations

import functools
import platform
import sys
from typing import Dict, Iterator

import numpy as np

from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import IsaacGymSpec, PhysicsSpec
from humanoid_locomotion.sim.isaacgym import gpu
from humanoid_locomotion.sim.isaacgym.backend import IsaacGymBackend
from humanoid_locomotion.sim.isaacgym.check import links, readback, shapes
from humanoid_locomotion.sim.isaacgym.importing import torch
from humanoid_locomotion.sim.questions.bench import Bench
from humanoid_locomotion.sim.questions.bench import Finding as Finding
from humanoid_locomotion.sim.questions.examination import GROUPS


class Examination:
    """The questions, in one simulation.

    Args:
        robot: The robot.
        physics: Time steps.
        settings: Solver and buffers of PhysX.
        device: ``auto``, ``cpu`` or ``cuda``.
        viewer: Whether to show the robots in a window.
    """

    def __init__(self, robot: RobotSpec, physics: PhysicsSpec, settings: IsaacGymSpec,
                 device: str, viewer: bool = False):
        self.bench = Bench(functools.partial(
            IsaacGymBackend, robot, device=device, viewer=viewer, settings=settings), robot,
            physics)
        self.backend: IsaacGymBackend = self.bench.backend  # type: ignore[assignment]

    def findings(self) -> Iterator[Finding]:
        """Ask one question after the other."""
        yield from readback.findings(self.bench, self.backend)
        for group in GROUPS:
            yield from group(self.bench)
        yield from links.findings(self.bench, self.backend)
        yield from shapes.findings(self.bench, self.backend)

    def facts(self) -> Dict[str, str]:
        """Return what Isaac Gym made of the robot, and its memory."""
        masses = self.backend.properties()[0].masses
        per_robot = self.backend.bytes_per_robot
        return {
            'device': self.backend.device,
            'memory': 'of the host' if not per_robot else
            f'{per_robot / 1e6:.2f} MB for each of {self.bench.n} robots, buffers included',
            'order of joints': ', '.join(self.backend.dof_names()),
            'masses [kg]': ', '.join(
                f'{name} {mass:.3g}' for name, mass in zip(self.backend.body_names(), masses))}


def versions() -> Dict[str, str]:
    """Return the versions of Isaac Gym and PyTorch, and the GPU."""
    isaacgym = sys.modules['isaacgym']
    stand_in = ' (a stand-in for tests)' if getattr(isaacgym, 'IS_FAKE', False) else ''
    found = {'Isaac Gym': f'{next(iter(isaacgym.__path__))}{stand_in}',
             'Python': platform.python_version(), 'NumPy': np.__version__,
             'PyTorch': f'{torch.__version__}, CUDA {torch.version.cuda}', 'GPU': 'none'}
    if torch.cuda.is_available():
        it = gpu.gpu(gpu.torch_device('auto'))
        found['GPU'] = (f'{it.name}, capability {it.capability[0]}.{it.capability[1]}, '
                        f'{it.free / 1e9:.1f} GB free')
        found['PyTorch is built for'] = ', '.join(it.archs)
    return found
