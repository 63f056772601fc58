# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens a policy folder, and refuses one that does not reproduce its golden steps.

Size and hash of every file are checked before it is parsed, and bounds before anything is built;
no file of a folder is executed as code. :mod:`~humanoid_locomotion.core.policy.vetting` does the
same in a separate process that may crash or hang.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any, Dict, Optional, Union

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError, PolicyError, UnknownNameError
from humanoid_locomotion.core.policy import engines
from humanoid_locomotion.core.policy.content import (
    LIMITS,
    NETWORK,
    SCORECARD,
    FolderContent,
    read_folder,
)
from humanoid_locomotion.core.policy.onnx_graph import Network, contract_json, read_network
from humanoid_locomotion.core.policy.speed_envelope import Envelope, measured_envelope
from humanoid_locomotion.core.policy.standalone.replay import Replay
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.reading.parsing import parse_npz, parse_yaml
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.state import RobotState

MAX_UNPACKED = 64 * 1024 * 1024  # of golden.npz [bytes]
MIN_GOLDEN_STEPS, MAX_GOLDEN_STEPS = 64, 1000
WARM_UP_STEPS = 10
# Time limit for the golden steps after the first, in which an engine warms up [s].
GOLDEN_TIMEOUT = 2.0
# Largest difference allowed between a replayed golden step and the recorded one. Engines add up
# in different orders, and an action feeds the next observation.
GOLDEN_TOLERANCE = 1e-3

STATE_KEYS = ('joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity')
ODOMETRY_KEYS = ('base_position', 'base_linear_velocity')
GOLDEN_KEYS = STATE_KEYS + ('command', 'observation', 'action', 'joint_targets')

# More than any humanoid has; the memory for a contract grows with these.
MAX_JOINTS, MAX_TERMS, MAX_HISTORY = 256, 64, 256


@dataclass(frozen=True)
class PolicyFolder:
    """An opened and checked policy.

    Attributes:
        path: The folder.
        contract: The contract of the policy.
        policy: The engine that runs the network; see :class:`Controller`.
        golden_error: Largest difference in the replay of the golden steps.
        golden_action: Largest magnitude among the golden actions.
        envelope: The measured speeds, or the reason why they are not known.
        network_path: The file of the network.
    """

    path: Path
    contract: PolicyContract
    policy: Any
    golden_error: float
    golden_action: float
    envelope: Envelope
    network_path: Path

    def controller(self, num_envs: int = 1) -> Controller:
        """Return a controller that runs this policy on ``num_envs`` robots."""
        return Controller(self.contract, self.policy, num_envs)


def find_policy(name: Union[str, Path]) -> Path:
    """Return the folder of a policy, by path or by the name of a shipped policy.

    Raises:
        UnknownNameError: There is no such folder or policy; the message lists the shipped ones.
    """
    if os.path.isdir(name):  # also False for invalid names, for which Path.is_dir raises
        return Path(name)
    folders = policy_folders()
    if str(name) in folders:
        return folders[str(name)]
    raise UnknownNameError('policy', str(name), folders)


def open_policy(name: Union[str, Path], engine: str = 'auto',
                device: str = 'auto') -> PolicyFolder:
    """Open a policy folder and replay its golden steps.

    Args:
        name: Path of the folder, or the name of a shipped policy.
        engine: See :func:`humanoid_locomotion.core.policy.engines.start_engine`.
        device: See :func:`~humanoid_locomotion.core.policy.engines.start_engine`.

    Raises:
        PolicyError: The folder must not be run; the message gives the difference.
    """
    return open_content(read_folder(find_policy(name)), engine, device)


def open_content(content: FolderContent, engine: str, device: str = 'auto',
                 replayed_by: str = '') -> PolicyFolder:
    """Open a policy from files in memory; see :func:`open_policy`.

    Args:
        content: The files.
        engine: As for :func:`open_policy`.
        device: As for :func:`open_policy`.
        replayed_by: Name of the engine that has already replayed these golden steps. The same
            engine then only replays the steps that it needs to warm up.
    """
    folder, files = content.path, content.files
    contract = _contract(files['contract.yaml'], folder / 'contract.yaml')
    network = read_network(files[content.network_file], folder / content.network_file)
    _check_same_contract(contract, network)
    check_sizes(contract, network)
    started = engines.start_engine(network, engine, device)
    golden = _golden(files['golden.npz'], folder / 'golden.npz')
    stop = WARM_UP_STEPS if started.name == replayed_by else None
    if stop is None:
        _standalone(content, contract)
    error = replay_golden(contract, started, {key: it[:stop] for key, it in golden.items()},
                          folder / 'golden.npz')
    return PolicyFolder(folder, contract, started, error,
                        float(np.max(np.abs(golden['action']))),
                        measured_envelope(contract, files.get(SCORECARD), content.problem),
                        network.path)


def standalone_error(opened: PolicyFolder) -> Optional[float]:
    """Replay the golden steps through the standalone policy and through the controller.

    Returns:
        The largest difference of the joint targets [rad]; None if the folder has no standalone
        policy.

    Raises:
        PolicyError: They differ by more than is allowed, or the standalone policy cannot be run.
    """
    content = read_folder(opened.path)
    standalone = _standalone(content, opened.contract)
    if standalone is None:
        return None
    controller = opened.controller()
    replay = Replay(standalone, opened.contract, controller.memory is not None)
    controller.reset_all()
    golden = _golden(content.files['golden.npz'], opened.path / 'golden.npz')
    keys = [key for key in STATE_KEYS + ODOMETRY_KEYS if key in golden]
    for i in range(len(golden['command'])):
        state = RobotState(**{key: golden[key][i:i + 1] for key in keys})
        command = golden['command'][i:i + 1]
        replay.compare(state, command, controller.step(state, command).positions)
    return replay.difference


def _standalone(content: FolderContent, contract: PolicyContract) -> Optional[Network]:
    """Return the standalone policy of a folder, if it has one."""
    if NETWORK not in content.files:
        return None
    found = read_network(content.files['policy.onnx'], content.path / 'policy.onnx', True)
    _check_same_contract(contract, found)
    return found


def read_contract(path: Path) -> PolicyContract:
    """Return the contract in a ``contract.yaml``; the policy is not opened.

    Raises:
        PolicyError: The file is not valid, or a value was changed after export.
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
    carried, mapping = contract_json(network), contract.to_mapping()
    del mapping['fingerprint']
    differing = [key for key, value in mapping.items() if carried.get(key) != value]
    differing += [key for key in carried if key not in mapping]
    if differing:
        raise PolicyError(network.path, 'its contract and contract.yaml differ in '
                          f'{sorted(differing)}; both must come from one export')


def check_sizes(contract: PolicyContract, network: Network) -> None:
    """Raise :class:`PolicyError` unless input and output of the network match the contract."""
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
        raise PolicyError(network.path, f'returns {network.num_actions} actions, but the contract '
                          f'has {contract.num_actions} commanded joints')


def read_golden(path: Path) -> Dict[str, np.ndarray]:
    """Return the recorded control steps.

    Raises:
        PolicyError: The file is damaged, lacks an array, or has too few or too many steps.
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
        raise PolicyError(path, f'has {found} steps, at least {MIN_GOLDEN_STEPS} are needed')
    if found > MAX_GOLDEN_STEPS:
        raise PolicyError(path, f'has {found} steps, at most {MAX_GOLDEN_STEPS} are allowed')
    return golden


def replay_golden(contract: PolicyContract, network: Any, golden: Dict[str, np.ndarray],
                  path: Path) -> float:
    """Run the recorded states and commands through the controller.

    Returns:
        The largest difference to the recorded observations, actions and targets.

    Raises:
        PolicyError: A step differs from the recording; the message names the step. Or the
            replay takes too long.
    """
    keys = STATE_KEYS + tuple(key for key in ODOMETRY_KEYS if key in golden)
    controller = Controller(contract, network)
    controller.reset_all()
    worst, begin = 0.0, time.monotonic()
    for i in range(golden['command'].shape[0]):
        try:
            state = RobotState(**{key: golden[key][i:i + 1] for key in keys})
            obs = controller.observe(state, golden['command'][i:i + 1])
            action = np.asarray(controller.infer(obs))
            targets = controller.act(action).positions
        except Exception as error:  # engines raise their own exception types
            raise PolicyError(path, f'step {i} does not fit the contract '
                              f'({" ".join(str(error).split())[:200]})') from error
        for name, got in (('observation', obs), ('action', action), ('joint_targets', targets)):
            difference = _largest_difference(got, golden[name][i:i + 1])
            if not difference <= GOLDEN_TOLERANCE:
                raise PolicyError(
                    path, f'golden step {i} does not replay: {name} differs by {difference:.3g}, '
                    f'at most {GOLDEN_TOLERANCE:g} is allowed')
            worst = max(worst, difference)
        if i == 0:
            begin = time.monotonic()
        elif time.monotonic() - begin > GOLDEN_TIMEOUT:
            raise PolicyError(path, f'{i} golden steps took {GOLDEN_TIMEOUT:g} s, which is too '
                              'slow for control')
    return worst


def _largest_difference(got: np.ndarray, recorded: np.ndarray) -> float:
    if got.shape != recorded.shape:
        return float('inf')
    difference = np.abs(np.asarray(got, np.float64) - recorded)
    return float(np.max(difference)) if np.all(np.isfinite(difference)) else float('nan')
