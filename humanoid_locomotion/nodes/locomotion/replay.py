# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Replays a recording through the control loop, and compares all outputs bit by bit."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import json
from pathlib import Path
import struct
from typing import Any, BinaryIO, Dict, Iterator, Tuple

import numpy as np
from rclpy.serialization import deserialize_message

from humanoid_locomotion.core.errors import (
    ConfigError,
    LocomotionError,
    MissingPackageError,
    UnknownNameError,
)
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.core.robot import described_robot
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.recording import (
    FORMAT,
    KINDS,
    METADATA,
    seconds,
    step_fields,
)
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

KEYS = ('policy', 'fingerprint', 'engine', 'is_simulated', 'parameters')
MAX_RECORD = 64 * 1024 * 1024  # bytes; the recorder's chunks have 1 MiB


@dataclass(frozen=True)
class Replay:
    """Result of the comparison with a recording.

    Attributes:
        policy: The policy that ran at the end.
        steps: Number of control steps compared.
        seconds: Their duration [s].
        difference: Description of the first value that differs; empty if none does.
        is_whole: Whether the recording was closed; False if the disk was full, or after a
            difference.
    """

    policy: Path
    steps: int
    seconds: float
    difference: str
    is_whole: bool = False


def replay(path: Path, policy: str = '', engine: str = '') -> Replay:
    """Run the control loop over a recording until something differs.

    Args:
        path: An MCAP file that the node recorded.
        policy: Another path of the same policy; empty for the recorded path.
        engine: Another engine; empty for the recorded one.

    Raises:
        ConfigError: The file is not such a recording, or is a recording of another policy.
    """
    try:
        with path.open('rb') as file:
            records = _Records(file)
            return _replay(path, _metadata(records, path), records, policy, engine)
    except LocomotionError:
        raise
    except Exception as error:  # many exception types of mcap, zstd, struct and rclpy
        raise ConfigError(path, '', 'is not a readable MCAP file '
                          f'({" ".join(str(error).split()) or type(error).__name__})') from error


def _replay(path: Path, metadata: Dict[str, str], records: _Records,
            policy: str, engine: str) -> Replay:
    given = config.from_mapping(
        LocomotionParameters, _json(metadata, 'parameters', path), path, 'parameters')
    is_simulated = bool(_json(metadata, 'is_simulated', path))
    opened = open_policy(policy or metadata['policy'], engine or metadata['engine'], given.device)
    if opened.contract.fingerprint != metadata['fingerprint']:
        raise ConfigError(path, 'fingerprint', f'recorded with {metadata["fingerprint"]}, but '
                          f'{opened.path} is {opened.contract.fingerprint}')
    robot = described_robot(opened.contract.robot, given.robot)
    loop = ControlLoop(opened, robot, given, lambda _: None, is_simulated)
    steps, begin, now = 0, None, 0.0
    for topic, msg, stamp in records.messages():
        now = seconds(stamp)
        if topic != 'locomotion/control_step':
            _feed(loop, topic, msg, now, engine or metadata['engine'])
            continue
        begin = now if begin is None else begin
        difference = _compare(step_fields(loop, loop.step(now)), msg)
        loop.weigh()
        if difference:
            return Replay(loop.folder.path, steps, now - begin,
                          f'step {steps}, {now - begin:.3f} s: {difference}')
        steps += 1
    return Replay(loop.folder.path, steps, 0.0 if begin is None else now - begin, '',
                  records.is_whole)


def _feed(loop: ControlLoop, topic: str, msg: Any, now: float, engine: str) -> None:
    if topic == 'joint_states':
        loop.sensors.take_joint_states(msg, now)
    elif topic == 'imu/data':
        loop.sensors.take_imu(msg, now)
    elif topic == 'odom':
        loop.sensors.take_odom(msg, now)
    elif topic == 'battery_state':
        loop.condition.take_battery(msg, now)
    elif topic == 'joint_temperatures':
        loop.condition.take_temperature(msg, now)
    elif topic == 'cmd_vel' and hasattr(msg, 'twist'):
        loop.take_command(msg.twist, now, conversions.seconds(msg.header.stamp))
    elif topic == 'cmd_vel':
        loop.take_command(msg, now)
    elif topic.startswith(conversions.AXIS_TOPIC):
        loop.take_axis_command(topic[len(conversions.AXIS_TOPIC):], msg, now)
    elif topic in loop.arms.channels:
        loop.take_arms(topic, msg, now)
    elif topic == 'locomotion/event':
        details = json.loads(msg.data)
        name = details.pop('event')
        if name == 'swap':
            details = {'folder': open_policy(details['policy'], engine)}
        with contextlib.suppress(LocomotionError):  # as during the recording
            loop.apply(name, now, **details)


def _compare(got: Dict[str, np.ndarray], msg: Any) -> str:
    start = 0
    for dim in msg.layout.dim:
        recorded = np.array(msg.data[start:start + dim.size])
        start += dim.size
        if dim.label not in got:
            return f'{dim.label} was recorded and is not computed'
        mine = got[dim.label][0].astype(np.float64)
        # Bit by bit, so that NaN equals NaN and 0 differs from -0.
        if mine.tobytes() != recorded.tobytes():
            i = int(np.argmax(mine.view(np.int64) != recorded.view(np.int64)))
            return f'{dim.label}[{i}] is {mine[i]!r}, recorded {recorded[i]!r}'
    return ''


class _Records:
    """The records of an MCAP file, in the order of writing.

    Attributes:
        is_whole: Whether the file is complete; False until its end was read.
    """

    def __init__(self, file: BinaryIO):
        try:
            from mcap import exceptions, records, stream_reader
        except ImportError as error:
            raise MissingPackageError('replay', 'mcap', 'pip install mcap') from error
        self._file, self._kinds, self._end = file, records, exceptions.EndOfFile
        self._left = stream_reader.StreamReader(file, record_size_limit=MAX_RECORD).records
        self.is_whole = False

    def metadata(self) -> Dict[str, str]:
        """Return the recorder's metadata, which comes before all messages."""
        for record in self._left:
            if isinstance(record, self._kinds.Metadata) and record.name == METADATA:
                return dict(record.metadata)
            if isinstance(record, self._kinds.Message):
                break
        return {}

    def messages(self) -> Iterator[Tuple[str, Any, int]]:
        """Yield topic, message and time [ns]; a truncated file ends with its last whole record."""
        kinds = {f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}': kind for kind in KINDS}
        types: Dict[int, Any] = {}
        channels: Dict[int, Tuple[str, Any]] = {}
        try:
            for record in self._left:
                if isinstance(record, self._kinds.Schema):
                    if record.name not in kinds:
                        raise UnknownNameError('type of message', record.name, kinds)
                    types[record.id] = kinds[record.name]
                elif isinstance(record, self._kinds.Channel):
                    channels[record.id] = record.topic, types[record.schema_id]
                elif isinstance(record, self._kinds.Message):
                    topic, kind = channels[record.channel_id]
                    yield topic, deserialize_message(record.data, kind), record.log_time
                elif isinstance(record, self._kinds.DataEnd):
                    self.is_whole = True
                    return
        except (self._end, struct.error):
            if self._file.read(1):  # there is more data: the file is damaged
                raise


def _metadata(records: _Records, path: Path) -> Dict[str, str]:
    metadata = records.metadata()
    if metadata.get('format') != str(FORMAT):
        raise ConfigError(path, METADATA, f'expected format {FORMAT} of a recording of the '
                          f'locomotion node, found {metadata.get("format")!r}')
    missing = [key for key in KEYS if key not in metadata]
    if missing:
        raise ConfigError(path, METADATA, f'missing keys {missing}; it has {sorted(metadata)}')
    return metadata


def _json(metadata: Dict[str, str], key: str, path: Path) -> Any:
    try:
        return json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, f'{METADATA}.{key}', f'is not JSON ({error})') from error
