"""Opens a policy folder, and refuses one that would not do what it did in training.

Nothing is parsed before its size and its hash are checked, and nothing in a folder is code.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any, Dict, Union
import zipfile

import numpy as np

from humanoid_locomotion.core import config, engines
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError, PolicyError, UnknownNameError
from humanoid_locomotion.core.resources import policy_folders
from humanoid_locomotion.core.state import RobotState

SUMS = 'SHA256SUMS'  # as `sha256sum` writes and checks it
FILES = ('contract.yaml', 'policy.onnx', 'golden.npz')
MAX_BYTES = 64 * 1024 * 1024
MAX_SUMS_BYTES = 4096
MAX_UNPACKED = 256 * 1024 * 1024  # of golden.npz
MIN_GOLDEN_STEPS = 64
# Largest difference allowed between a replayed golden step and the recorded one. Engines add up
# in different orders, and an action feeds the next observation.
GOLDEN_TOLERANCE = 1e-3

STATE_KEYS = ('joint_positions', 'joint_velocities', 'base_orientation', 'base_angular_velocity')
ODOMETRY_KEYS = ('base_position', 'base_linear_velocity')
GOLDEN_KEYS = STATE_KEYS + ('command', 'observation', 'action', 'joint_targets')


@dataclass(frozen=True)
class PolicyFolder:
    """An opened and checked policy.

    Attributes:
        path: The folder.
        contract: What it was trained for.
        policy: Observation (num_envs, obs) to action (num_envs, m).
        golden_error: Largest difference seen while replaying the golden steps.
        golden_action: Largest magnitude among the golden actions.
    """

    path: Path
    contract: PolicyContract
    policy: Any
    golden_error: float
    golden_action: float

    def controller(self) -> Controller:
        """Return a controller for one robot that runs this policy."""
        return Controller(self.contract, self.policy)


def find_policy(name: Union[str, Path]) -> Path:
    """Return the folder of a policy, by path or by the name of one that ships."""
    path = Path(name)
    if path.is_dir():
        return path
    folders = policy_folders()
    if str(name) in folders:
        return folders[str(name)]
    raise UnknownNameError('policy', str(name), folders)


def open_policy(name: Union[str, Path], engine: str = 'auto',
                device: str = 'auto') -> PolicyFolder:
    """Open a policy folder and replay its golden steps.

    Args:
        name: Path of the folder, or the name of a policy that ships.
        engine: See :func:`humanoid_locomotion.core.engines.open_engine`.
        device: Likewise.

    Raises:
        PolicyError: The folder must not be run; the message says what differs.
    """
    folder = find_policy(name)
    _check_files(folder)
    contract = read_contract(folder / 'contract.yaml')
    network = engines.open_engine(folder / 'policy.onnx', engine, device)
    _check_same_contract(contract, network, folder)
    check_sizes(contract, network, folder / 'policy.onnx')
    golden = read_golden(folder / 'golden.npz')
    error = replay_golden(contract, network, golden, folder / 'golden.npz')
    return PolicyFolder(folder, contract, network, error,
                        float(np.max(np.abs(golden['action']))))


def write_sums(folder: Path) -> None:
    """Write the hashes of a folder's files, which opening it checks."""
    lines = [f'{_digest(folder / file)}  {file}\n' for file in FILES]
    (folder / SUMS).write_text(''.join(lines), encoding='utf-8')


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_files(folder: Path) -> None:
    sums = folder / SUMS
    for path, limit in ((sums, MAX_SUMS_BYTES), *((folder / file, MAX_BYTES) for file in FILES)):
        if not path.is_file():
            raise PolicyError(path, f'is missing; a policy folder needs {", ".join(FILES)} and '
                              f'{SUMS}, which `humanoid-locomotion sign` writes')
        if path.stat().st_size > limit:
            raise PolicyError(path, f'is larger than {limit} bytes')
    lines = sums.read_bytes().decode('ascii', 'replace').splitlines()
    for file in FILES:
        if f'{_digest(folder / file)}  {file}' not in lines:
            raise PolicyError(folder / file, f'is not the file whose hash is in {SUMS}: it was '
                              'damaged or changed after export; `humanoid-locomotion sign` '
                              'accepts it')
    if len(lines) != len(FILES):
        raise PolicyError(sums, f'has {len(lines)} lines, expected one for each of '
                          f'{", ".join(FILES)}')


def read_contract(path: Path) -> PolicyContract:
    """Return the contract in a ``contract.yaml``; its policy is not opened.

    Raises:
        PolicyError: The file does not fit, or a figure was changed after export.
    """
    try:
        return PolicyContract.from_mapping(config.read_yaml(path), path)
    except ConfigError as error:
        raise PolicyError(path, f'{error.key}: {error.problem}'.lstrip(': ')) from error


def _check_same_contract(contract: PolicyContract, network: Any, folder: Path) -> None:
    path = folder / 'policy.onnx'
    carried = engines.contract_json(network.metadata, path)
    differing = [key for key, value in config.to_mapping(contract).items()
                 if carried.get(key) != value]
    differing += [key for key in carried if key not in config.to_mapping(contract)]
    if differing:
        raise PolicyError(path, 'its contract and contract.yaml differ in '
                          f'{sorted(differing)}; both must come from one export')


def check_sizes(contract: PolicyContract, network: Any, path: Path) -> None:
    """Raise :class:`PolicyError` unless the network takes and gives what a contract describes."""
    builder = Controller(contract).builder
    if network.obs_size != builder.size:
        terms = ', '.join(f'{it.name} {it.stop - it.start}' for it in builder.slices)
        raise PolicyError(path, f'takes {network.obs_size} observations, but the contract '
                          f'describes {builder.size}: {builder.history} times ({terms})')
    if network.num_actions != contract.num_actions:
        raise PolicyError(path, f'gives {network.num_actions} actions, but the contract has '
                          f'{contract.num_actions} joints')


def read_golden(path: Path) -> Dict[str, np.ndarray]:
    """Return the recorded control steps.

    Raises:
        PolicyError: The file is broken, lacks an array, or holds too few steps.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise PolicyError(path, f'unpacks to {unpacked} bytes, allowed are {MAX_UNPACKED}')
        with np.load(path, allow_pickle=False) as file:
            golden = {key: file[key] for key in file.files}
    except PolicyError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for a broken file
        raise PolicyError(path, f'cannot be read ({type(error).__name__}: {error})') from error
    missing = [key for key in GOLDEN_KEYS if key not in golden]
    if missing:
        raise PolicyError(path, f'missing arrays {missing}; it has {sorted(golden)}')
    steps = {key: array.shape[0] for key, array in golden.items() if array.ndim == 2}
    if len(steps) != len(golden) or len(set(steps.values())) != 1:
        raise PolicyError(path, f'every array must be (steps, size); found '
                          f'{ {key: array.shape for key, array in golden.items()} }')
    if min(steps.values()) < MIN_GOLDEN_STEPS:
        raise PolicyError(path, f'holds {min(steps.values())} steps, at least '
                          f'{MIN_GOLDEN_STEPS} are needed')
    return golden


def replay_golden(contract: PolicyContract, network: Any, golden: Dict[str, np.ndarray],
                  path: Path) -> float:
    """Run the recorded states and commands through the controller.

    Returns:
        The largest difference to the recorded observations, actions and targets.

    Raises:
        PolicyError: A step does not come out as recorded; the message names the first.
    """
    keys = STATE_KEYS + tuple(key for key in ODOMETRY_KEYS if key in golden)
    controller = Controller(contract)
    controller.reset_all()
    worst = 0.0
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
    return worst


def _largest_difference(got: np.ndarray, recorded: np.ndarray) -> float:
    if got.shape != recorded.shape:
        return float('inf')
    difference = np.abs(np.asarray(got, np.float64) - recorded)
    return float(np.max(difference)) if np.all(np.isfinite(difference)) else float('nan')
