"""Opens a policy folder, and refuses one that would not do what it did in training.

Nothing is parsed before its size and its hash are checked, nothing is built before its bounds
are, and nothing in a folder is code. :mod:`~humanoid_locomotion.core.policy.vetting` does the
same in a process that may crash or hang.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any, Dict, Union

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError, PolicyError, UnknownNameError
from humanoid_locomotion.core.policy import engines
from humanoid_locomotion.core.policy.content import (
    LIMITS,
    SCORECARD,
    FolderContent,
    read_folder,
)
from humanoid_locomotion.core.policy.onnx_graph import Network, contract_json, read_network
from humanoid_locomotion.core.policy.speed_envelope import Envelope, measured_envelope
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_npz, parse_yaml
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.state import RobotState

MAX_UNPACKED = 64 * 1024 * 1024  # of golden.npz [bytes]
MIN_GOLDEN_STEPS, MAX_GOLDEN_STEPS = 64, 1000
WARM_UP_STEPS = 10
# How long the golden steps may take, but for the first, in which an engine warms up [s].
GOLDEN_TIMEOUT = 2.0
# Largest difference allowed between a replayed golden step and the recorded one. Engines add up
# in different orders, and an action feeds the next observation.
GOLDEN_TOLERANCE = 1e-3

STATE_KEYS = ('joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity')
ODOMETRY_KEYS = ('base_position', 'base_linear_velocity')
GOLDEN_KEYS = STATE_KEYS + ('command', 'observation', 'action', 'joint_targets')

# More than any humanoid has; what is built for a contract grows with these.
MAX_JOINTS, MAX_TERMS, MAX_HISTORY = 256, 64, 256


@dataclass(frozen=True)
class PolicyFolder:
    """An opened and checked policy.

    Attributes:
        path: The folder.
        contract: What it was trained for.
        policy: Observation (num_envs, obs) to action (num_envs, m).
        golden_error: Largest difference seen while replaying the golden steps.
        golden_action: Largest magnitude among the golden actions.
        envelope: The speeds it reaches, or why they are not known.
    """

    path: Path
    contract: PolicyContract
    policy: Any
    golden_error: float
    golden_action: float
    envelope: Envelope

    def controller(self, num_envs: int = 1) -> Controller:
        """Return a controller that runs this policy on ``num_envs`` robots."""
        return Controller(self.contract, self.policy, num_envs)


def find_policy(name: Union[str, Path]) -> Path:
    """Return the folder of a policy, by path or by the name of one that ships.

    Raises:
        UnknownNameError: There is neither; the message lists those that ship.
    """
    if os.path.isdir(name):  # False too for what cannot be a name, where Path.is_dir raises
        return Path(name)
    folders = policy_folders()
    if str(name) in folders:
        return folders[str(name)]
    raise UnknownNameError('policy', str(name), folders)


def open_policy(name: Union[str, Path], engine: str = 'auto',
                device: str = 'auto') -> PolicyFolder:
    """Open a policy folder and replay its golden steps.

    Args:
        name: Path of the folder, or the name of a policy that ships.
        engine: See :func:`humanoid_locomotion.core.policy.engines.start_engine`.
        device: Likewise.

    Raises:
        PolicyError: The folder must not be run; the message says what differs.
    """
    return open_content(read_folder(find_policy(name)), engine, device)


def open_content(content: FolderContent, engine: str, device: str = 'auto',
                 replayed_by: str = '') -> PolicyFolder:
    """Open a policy from the files that were read; see :func:`open_policy`.

    Args:
        content: The files.
        engine: As :func:`open_policy` takes it.
        device: Likewise.
        replayed_by: The engine that has replayed these golden steps before. The same one replays
            no more than it needs to warm up.
    """
    folder, files = content.path, content.files
    contract = _contract(files['contract.yaml'], folder / 'contract.yaml')
    network = read_network(files['policy.onnx'], folder / 'policy.onnx')
    _check_same_contract(contract, network)
    check_sizes(contract, network)
    started = engines.start_engine(network, engine, device)
    golden = _golden(files['golden.npz'], folder / 'golden.npz')
    stop = WARM_UP_STEPS if started.name == replayed_by else None
    error = replay_golden(contract, started, {key: it[:stop] for key, it in golden.items()},
                          folder / 'golden.npz')
    return PolicyFolder(folder, contract, started, error,
                        float(np.max(np.abs(golden['action']))),
                        measured_envelope(contract, files.get(SCORECARD), content.problem))


def read_contract(path: Path) -> PolicyContract:
    """Return the contract in a ``contract.yaml``; its policy is not opened.

    Raises:
        PolicyError: The file does not fit, or a figure was changed after export.
    """
    try:
        return _contract(read_bytes(path, LIMITS['contract.yaml']), path)
    except ConfigError as error:
        raise PolicyError(path, f'{error.key}: {error.problem}'.lstrip(': ')) from error


def _contract(content: bytes, path: Path) -> PolicyContract:
    try:
        data = parse_yaml(content, path)
        if not isinstance(data, dict):
            raise ConfigError(path, '', f'expected a mapping, found {type(data).__name__}')
        return PolicyContract.from_mapping(data, path)
    except ConfigError as error:
        raise PolicyError(path, f'{error.key}: {error.problem}'.lstrip(': ')) from error


def _check_same_contract(contract: PolicyContract, network: Network) -> None:
    carried = contract_json(network)
    differing = [key for key, value in config.to_mapping(contract).items()
                 if carried.get(key) != value]
    differing += [key for key in carried if key not in config.to_mapping(contract)]
    if differing:
        raise PolicyError(network.path, 'its contract and contract.yaml differ in '
                          f'{sorted(differing)}; both must come from one export')


def check_sizes(contract: PolicyContract, network: Network) -> None:
    """Raise :class:`PolicyError` unless the network takes and gives what a contract describes."""
    observation = contract.observation
    for what, found, limit in (('joints', len(contract.joints), MAX_JOINTS),
                               ('terms', len(observation.terms), MAX_TERMS),
                               ('observed joints', len(contract.observed_joints), MAX_JOINTS),
                               ('steps of history', observation.history, MAX_HISTORY)):
        if found > limit:
            raise PolicyError(network.path, f'its contract has {found} {what}, allowed are '
                              f'{limit}')
    try:
        builder = Controller(contract).builder
    except (ValueError, OverflowError) as error:
        raise PolicyError(network.path, f'its contract describes no controller ({error})'
                          ) from error
    if network.obs_size != builder.size:
        terms = ', '.join(f'{it.name} {it.stop - it.start}' for it in builder.slices)
        raise PolicyError(network.path, f'takes {network.obs_size} observations, but the contract '
                          f'describes {builder.size}: {builder.history} times ({terms})')
    if network.num_actions != contract.num_actions:
        raise PolicyError(network.path, f'gives {network.num_actions} actions, but the contract '
                          f'has {contract.num_actions} joints')


def read_golden(path: Path) -> Dict[str, np.ndarray]:
    """Return the recorded control steps.

    Raises:
        PolicyError: The file is broken, lacks an array, or holds too few steps or too many.
    """
    try:
        return _golden(read_bytes(path, LIMITS['golden.npz']), path)
    except ConfigError as error:
        raise PolicyError(path, error.problem) from error


def _golden(content: bytes, path: Path) -> Dict[str, np.ndarray]:
    try:
        golden = parse_npz(content, path, GOLDEN_KEYS, ODOMETRY_KEYS, MAX_UNPACKED)
    except ConfigError as error:
        raise PolicyError(path, error.problem) from error
    steps = {key: array.shape[0] for key, array in golden.items() if array.ndim == 2}
    if len(steps) != len(golden) or len(set(steps.values())) != 1:
        raise PolicyError(path, f'every array must be (steps, size); found '
                          f'{ {key: array.shape for key, array in golden.items()} }')
    found = min(steps.values())
    if found < MIN_GOLDEN_STEPS:
        raise PolicyError(path, f'holds {found} steps, at least {MIN_GOLDEN_STEPS} are needed')
    if found > MAX_GOLDEN_STEPS:
        raise PolicyError(path, f'holds {found} steps, allowed are {MAX_GOLDEN_STEPS}')
    return golden


def replay_golden(contract: PolicyContract, network: Any, golden: Dict[str, np.ndarray],
                  path: Path) -> float:
    """Run the recorded states and commands through the controller.

    Returns:
        The largest difference to the recorded observations, actions and targets.

    Raises:
        PolicyError: A step does not come out as recorded, which the message names, or all take
            too long.
    """
    keys = STATE_KEYS + tuple(key for key in ODOMETRY_KEYS if key in golden)
    controller = Controller(contract)
    controller.reset_all()
    worst, begin = 0.0, time.monotonic()
    for i in range(golden['command'].shape[0]):
        try:
            state = RobotState(**{key: golden[key][i:i + 1] for key in keys})
            obs = controller.observe(state, golden['command'][i:i + 1])
            action = np.asarray(network(obs))
            targets = controller.act(action).positions
        except Exception as error:  # engines raise kinds of their own
            raise PolicyError(path, f'step {i} does not fit the contract '
                              f'({" ".join(str(error).split())[:200]})') from error
        for name, got in (('observation', obs), ('action', action), ('joint_targets', targets)):
            difference = _largest_difference(got, golden[name][i:i + 1])
            if not difference <= GOLDEN_TOLERANCE:
                raise PolicyError(
                    path, f'golden step {i} does not replay: {name} differs by {difference:.3g}, '
                    f'allowed is {GOLDEN_TOLERANCE:g}')
            worst = max(worst, difference)
        if i == 0:
            begin = time.monotonic()
        elif time.monotonic() - begin > GOLDEN_TIMEOUT:
            raise PolicyError(path, f'{i} golden steps took {GOLDEN_TIMEOUT:g} s, which is too '
                              'slow to walk by')
    return worst


def _largest_difference(got: np.ndarray, recorded: np.ndarray) -> float:
    if got.shape != recorded.shape:
        return float('inf')
    difference = np.abs(np.asarray(got, np.float64) - recorded)
    return float(np.max(difference)) if np.all(np.isfinite(difference)) else float('nan')
