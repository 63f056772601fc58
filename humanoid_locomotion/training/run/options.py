# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Config, robot, simulator and device from options; usable before torch is imported."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError, SimulationError
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.sim.backend import import_backend
from humanoid_locomotion.training.config import MAX_ROBOTS, TrainingConfig
from humanoid_locomotion.training.config_file import read_config, read_files
from humanoid_locomotion.training.derived_recipe import BASIS, derive

ISAACGYM_PYTHON = (3, 8)
CPU_ROBOTS = 128  # that `auto` trains in CPU MuJoCo
MUJOCO_BYTES = 1.7e6  # memory of one robot in CPU MuJoCo, measured with the humanoid


def training_config(config: str, robot: str, num_envs: Optional[int], iterations: Optional[int],
                    assignments: List[str], resumed: Optional[Tuple[Path, Dict[str, Any]]] = None
                    ) -> Tuple[TrainingConfig, RobotSpec]:
    """Return a training config and its robot.

    Args:
        config: Name in ``config/training``, or path of a YAML file; empty for that of the
            checkpoint or of the robot. It is derived for a robot without one.
        robot: Overrides the robot of the config unless empty.
        num_envs: Overrides the number of robots of the config unless None.
        iterations: Overrides the number of iterations of the config unless None.
        assignments: ``key=value`` changes of single values.
        resumed: Path and content of the checkpoint to resume; without ``config`` its config is
            used.

    Raises:
        LocomotionError: A name is unknown, a value is invalid, or torch is not installed.
    """
    chosen = chosen_config(config, robot, resumed)
    changes = [f'run.{key}={value}' for key, value in (
        ('num_envs', num_envs), ('iterations', iterations)) if value is not None]
    changes += [f'robot={json.dumps(robot)}'] * bool(robot) + assignments  # a path, not YAML
    require_torch('training')
    settings = read_config(chosen.data, chosen.source, changes)
    return settings, load_robot(settings.robot)


class ChosenConfig(NamedTuple):
    """A config before changes.

    Attributes:
        data: Plain data.
        source: Its file or checkpoint.
        reasons: Origin of the derived values, by dotted key.
    """

    data: Dict[str, Any]
    source: Path
    reasons: Dict[str, str]


def chosen_config(config: str, robot: str,
                  resumed: Optional[Tuple[Path, Dict[str, Any]]] = None) -> ChosenConfig:
    """Return the config of a file, of a checkpoint, or derived from a robot without one.

    Args:
        config: See :func:`training_config`.
        robot: See :func:`training_config`.
        resumed: See :func:`training_config`.

    Raises:
        LocomotionError: A name is unknown, or a file is not valid.
    """
    spec = load_robot(robot) if robot else None  # report an unknown robot, not its missing config
    if resumed is not None and not config:
        return ChosenConfig(resumed[1]['config'], resumed[0], {})
    path = config_file('training', config or robot or 'humanoid')
    if spec is not None and not config and not path.is_file():
        recipe = derive(spec, robot)
        return ChosenConfig(recipe.data, config_file('training', BASIS), recipe.reasons)
    return ChosenConfig(read_files(path), path, {})


class Choice(NamedTuple):
    """The simulator that ``auto`` chose.

    Attributes:
        backend: Its name.
        why: The reason, for the user.
        robots: The largest number of robots that it trains unless a number is asked for.
    """

    backend: str
    why: str
    robots: int


def automatic(device: str) -> Choice:
    """Choose Isaac Gym if this interpreter has it, else MuJoCo Warp on a GPU, else CPU MuJoCo.

    Raises:
        LocomotionError: Isaac Gym is installed and cannot be imported, PyTorch is not installed,
            or the device does not exist.
    """
    has_isaacgym = (sys.version_info[:2] == ISAACGYM_PYTHON
                    and importlib.util.find_spec('isaacgym') is not None)
    if has_isaacgym:
        import_backend('isaacgym')  # before PyTorch
    require_torch('training')
    import torch
    require_device(device)
    on_gpu = device != 'cpu' and torch.cuda.is_available()
    if has_isaacgym and (on_gpu or device == 'cpu'):
        return Choice('isaacgym', 'this interpreter has it', MAX_ROBOTS)
    if on_gpu:
        return Choice('mujoco_warp', f'on {torch.cuda.get_device_name()}', MAX_ROBOTS)
    return Choice('mujoco', 'on the CPU, as asked' if device == 'cpu' else
                  'on the CPU, since PyTorch can use no GPU', CPU_ROBOTS)


def choose_backend(name: str, device: str) -> str:
    """Return the name of a simulator; ``auto`` is that of :func:`automatic`.

    Another name than ``auto`` is imported here, since Isaac Gym must be imported before PyTorch.

    Raises:
        LocomotionError: The simulator is unknown, not installed or cannot run in this process, or
            the device does not exist.
    """
    if name == 'auto':
        return automatic(device).backend
    import_backend(name)
    require_device(device)
    return name


def require_device(device: str) -> None:
    """Check that PyTorch has the device.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:INDEX``.

    Raises:
        SimulationError: There is no GPU, or none of that index.
    """
    if not device.startswith('cuda'):
        return
    require_torch('a device')
    import torch
    count, index = torch.cuda.device_count(), device.partition(':')[2] or '0'
    if not (index.isdigit() and int(index) < count):
        raise SimulationError(f'device {device!r}: PyTorch sees {count} CUDA devices on this '
                              'machine; expected auto, cpu or one of those')


def check_memory(backend: str, robots: int) -> None:
    """Check that the memory is enough for a number of robots in CPU MuJoCo.

    Raises:
        ConfigError: The robots need more memory than the machine has.
    """
    needed = robots * MUJOCO_BYTES
    there = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    if backend == 'mujoco' and needed > there:
        raise ConfigError('train', '--num-envs', f'found {robots:,} robots in all, which take '
                          f'about {needed / 1e9:.0f} GB in CPU MuJoCo; this machine has '
                          f'{there / 1e9:.0f} GB')


def require_torch(what: str) -> None:
    """Check that PyTorch is installed.

    Raises:
        MissingPackageError: It is not installed.
    """
    if importlib.util.find_spec('torch') is None:
        raise MissingPackageError(what, 'torch', "pip install 'humanoid_locomotion[train]'")
