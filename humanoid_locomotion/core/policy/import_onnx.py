# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Creates a policy folder from the files of another training stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import ConfigError, JointsError, PolicyError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.policy.adoption import (
    falcon,
    holosoma,
    homie,
    legged_gym,
    unitree_deploy,
)
from humanoid_locomotion.core.policy.adoption.flat_metadata import FlatMetadata
from humanoid_locomotion.core.policy.adoption.foreign import ForeignPolicy, Source, open_foreign
from humanoid_locomotion.core.policy.engines import start_engine
from humanoid_locomotion.core.policy.folder import check_sizes
from humanoid_locomotion.core.policy.golden import (
    RECURRENT_SHARE,
    record_golden,
    tumbling_states,
)
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.policy.onnx_metadata import (
    JOINT_VALUES,
    KEYS,
    LINEAR,
    legs_to_flat,
)
from humanoid_locomotion.core.policy.writer import new_policy_folder, write_policy
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.reading.parsing import show
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.robot_bounds import UNKNOWN, check_contract, wider_bounds

# Defaults of mjlab's and Isaac Lab's exporters for keys that they do not write.
USUAL = {'action_mode': 'default_offset', 'observation_clips': 'inf', 'observation_history': '1',
         'observation_layout': 'adopted', 'model_hash': UNKNOWN, 'run_path': ''}

# The formats whose files are found by what they are. Each returns None for a policy of another.
READERS: Tuple[Callable[[ForeignPolicy, RobotSpec], Optional[Source]], ...] = (
    unitree_deploy.read, holosoma.read, legged_gym.read, falcon.read, homie.read)

Row = Tuple[str, str, str]


def adopt(network: Path, robot: RobotSpec, output: Path, fill: Optional[Path] = None,
          beyond_robot: Optional[Tuple[str, ...]] = None, options: Optional[Dict[str, str]] = None
          ) -> List[Row]:
    """Write the policy folder of an ONNX file.

    A value is taken from ``options``, else from ``fill``, from the files of a known format
    (:data:`READERS`), from the ONNX file's metadata, else, for limits, torques and legs, from the
    robot. Targets are clipped only if one of these says so, or gives limits of its own.

    Args:
        network: The ONNX file, one input and one output; weights may be in files beside it.
        robot: The robot that it controls.
        output: The folder to write; replaced if it exists and holds a policy.
        fill: A YAML file with keys that are missing or wrong in the metadata.
        beyond_robot: Names of :data:`humanoid_locomotion.core.robot_bounds.WIDER`: items for
            which the wider bounds apply; None for none.
        options: Keys from the command line, ``observation_history_order`` and ``clip_targets``.

    Returns:
        For each key its name, its value and the source of the value.

    Raises:
        PolicyError: The network cannot be run with these keys, or exceeds the bounds of the
            robot.
        ConfigError: A key is missing, unknown or not valid.
        JointsError: The robot lacks joints of the policy.
    """
    foreign = open_foreign(network)
    found = foreign.network
    if CONTRACT_KEY in found.metadata:
        raise PolicyError(network, f'its metadata has {CONTRACT_KEY!r}: this package wrote it; '
                          'use its policy folder as it is')
    flat = _flat(foreign, robot, fill, options or {})
    contract = flat.contract()
    accepted = {*(contract.beyond_robot or ()), *(beyond_robot or ())}
    contract = replace(contract, beyond_robot=tuple(sorted(accepted)) or None)
    if contract.robot != robot.name:
        raise ConfigError(flat.origin('robot'), 'robot',
                          f'found {contract.robot!r}, expected {robot.name!r}')
    check_contract(contract, robot, network)
    check_sizes(contract, found)
    engine = start_engine(found, 'onnxruntime')
    golden = record_golden(contract, engine, tumbling_states(
        contract, RECURRENT_SHARE if found.memory_size else 1.0))
    if not np.all(np.isfinite(golden['action'])):
        raise PolicyError(network, 'returns actions that are not finite numbers; expected weights '
                          'and scales with which it walks')
    rows = [(key, ', '.join(flat.words(key)), flat.origin(key))
            for key in KEYS if flat.origin(key)]
    with new_policy_folder(output) as folder:
        signed = with_metadata(found.content, CONTRACT_KEY, contract.to_json())
        write_policy(folder, contract, signed, golden)
        (folder / 'card.md').write_text(_card(foreign.digests, contract, rows),
                                        encoding='utf-8')
    return rows


def _flat(foreign: ForeignPolicy, robot: RobotSpec, fill: Optional[Path],
          options: Dict[str, str]) -> FlatMetadata:
    sources: List[Source] = [('command line', dict(options))] if options else []
    if fill is not None:
        filled = config.read_yaml(fill)
        unknown = [key for key in filled if key not in KEYS]
        if unknown:
            raise ConfigError(fill, '', f'unknown keys {show(unknown, 200)}; the keys are '
                              f'{sorted(KEYS)}')
        sources.append((fill, filled))
    formats = [source for reader in READERS for source in [reader(foreign, robot)] if source]
    if len(formats) > 1:
        raise ConfigError(formats[1][0], '', f'describes {foreign.path.name} in another format '
                          f'than {formats[0][0]}; expected one of them')
    sources += formats
    sources.append((foreign.path, dict(foreign.network.metadata)))
    written = FlatMetadata(*sources)
    names = written.joint_names() if written.origin('joint_names') else []
    missing = [name for name in names if name not in robot.joint_names]
    if missing:
        raise JointsError(f"{written.origin('joint_names')}: joint_names: robot {robot.name!r}",
                          missing, robot.joint_names)
    joints = [robot.joints[robot.joint_names.index(name)] for name in names]
    facts: Dict[str, Any] = {
        key: [getattr(joint, name) for joint in joints]
        for key, name in JOINT_VALUES.items() if name in ('lower', 'upper', 'effort')}
    if any(written.origin(key) for key in LINEAR):
        facts.update(legs_to_flat([leg_spec(robot, sole) for sole in robot.soles]))
    has_limits = any(written.origin(key) for key in ('joint_lower', 'joint_upper'))
    usual = {**USUAL, 'clip_targets': 'true' if has_limits or (
        written.origin('action_mode') and written.words('action_mode') == ['joint_range']
        ) else 'false'}
    return FlatMetadata(*sources, ('robot.yaml', {**facts, 'robot': robot.name}),
                        ('usual default', usual))


def with_metadata(network: bytes, key: str, value: str) -> bytes:
    """Return an ONNX file with one additional metadata entry.

    ONNX is a Protocol Buffers format, in which entries of a repeated field may have any position:
    the appended bytes are one more ``ModelProto.metadata_props``, field 14, a message with the
    key in field 1 and the value in field 2 (onnx.proto3).
    """
    entry = _field(1, key.encode()) + _field(2, value.encode())
    return network + _field(14, entry)


def _field(number: int, content: bytes) -> bytes:
    """Encode a bytes field: its tag, its length as a varint, its content."""
    length, digits = len(content), []
    while length > 127:
        digits.append(length % 128 + 128)
        length //= 128
    return bytes([8 * number + 2, *digits, length]) + content


def _card(digests: Dict[str, str], contract: PolicyContract, rows: List[Row]) -> str:
    wider = wider_bounds(contract)
    files = ' and '.join(f'`{name}` (SHA-256 `{digest}`)' for name, digest in digests.items())
    return '\n'.join([
        f'# {contract.robot}, imported from ONNX', '',
        f'Made from {files} of another training stack, by `humanoid-locomotion policy '
        'import-onnx`.', '',
        'Its golden steps were recorded at the import: they show what this folder does, not what '
        'its trainer intended. Check with `humanoid-locomotion evaluate` that the terms, scales '
        'and gains below are correct.', '',
        *([f'Accepted beyond the bounds of the robot: {wider}.', ''] if wider else []),
        '| key | value | from |', '|---|---|---|',
        *(f'| {key} | {value} | {origin} |' for key, value, origin in rows), ''])
