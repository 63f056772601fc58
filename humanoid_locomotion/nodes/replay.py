"""Runs the control loop over a recording, and compares every figure to the last bit."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
import importlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import numpy as np
from rclpy.serialization import deserialize_message

from humanoid_locomotion.core import config
from humanoid_locomotion.core.errors import ConfigError, LocomotionError, MissingPackageError
from humanoid_locomotion.core.policy import open_policy
from humanoid_locomotion.nodes import conversions
from humanoid_locomotion.nodes.control_loop import ControlLoop, described_robot
from humanoid_locomotion.nodes.parameters import LocomotionParameters
from humanoid_locomotion.nodes.recording import FORMAT, METADATA, seconds, step_fields


@dataclass(frozen=True)
class Replay:
    """How a recording compares.

    Attributes:
        policy: The policy that ran at the end.
        steps: Control steps compared.
        seconds: Their time.
        difference: The first figure that differs, in words; empty if none does.
    """

    policy: Path
    steps: int
    seconds: float
    difference: str


def replay(path: Path, policy: str = '', engine: str = '') -> Replay:
    """Run the control loop over a recording until something differs.

    Args:
        path: An MCAP file that the node recorded.
        policy: Another place of the same policy; empty for the one recorded.
        engine: Another engine; empty for the one recorded.

    Raises:
        ConfigError: The file is not such a recording, or is of another policy.
    """
    metadata, records = _read(path)
    given = config.from_mapping(
        LocomotionParameters, json.loads(metadata['parameters']), path, 'parameters')
    opened = open_policy(policy or metadata['policy'], engine or metadata['engine'], given.device)
    if opened.contract.fingerprint != metadata['fingerprint']:
        raise ConfigError(path, 'fingerprint', f'recorded with {metadata["fingerprint"]}, but '
                          f'{opened.path} is {opened.contract.fingerprint}')
    robot = described_robot(opened.contract.robot, given.robot)
    loop = ControlLoop(opened, robot, given, lambda _: None, json.loads(metadata['is_simulated']))
    steps, begin, now = 0, None, 0.0
    for topic, msg, stamp in records:
        now = seconds(stamp)
        if topic != 'locomotion/control_step':
            _feed(loop, topic, msg, now, engine or metadata['engine'])
            continue
        begin = now if begin is None else begin
        difference = _compare(step_fields(loop, loop.step(now)), msg)
        if difference:
            return Replay(loop.folder.path, steps, now - begin,
                          f'step {steps}, {now - begin:.3f} s: {difference}')
        steps += 1
    return Replay(loop.folder.path, steps, 0.0 if begin is None else now - begin, '')


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
    elif topic == 'locomotion/event':
        details = json.loads(msg.data)
        name = details.pop('event')
        if name == 'swap':
            details = {'folder': open_policy(details['policy'], engine)}
        with contextlib.suppress(LocomotionError):  # as it was when it was recorded
            loop.apply(name, now, **details)


def _compare(got: Dict[str, np.ndarray], msg: Any) -> str:
    start = 0
    for dim in msg.layout.dim:
        recorded = np.array(msg.data[start:start + dim.size])
        start += dim.size
        if dim.label not in got:
            return f'{dim.label} was recorded and is not computed'
        mine = got[dim.label][0].astype(np.float64)
        # To the last bit, so that NaN equals NaN and 0 differs from -0.
        if mine.tobytes() != recorded.tobytes():
            i = int(np.argmax(mine.view(np.int64) != recorded.view(np.int64)))
            return f'{dim.label}[{i}] is {mine[i]!r}, recorded {recorded[i]!r}'
    return ''


def _read(path: Path) -> Tuple[Dict[str, str], Iterator[Tuple[str, Any, int]]]:
    try:
        from mcap.exceptions import McapError
        from mcap.reader import make_reader
    except ImportError as error:
        raise MissingPackageError('replay', 'mcap', 'pip install mcap') from error
    try:
        file = path.open('rb')
        reader = make_reader(file)
        found = {item.name: item.metadata for item in reader.iter_metadata()}
    except (OSError, McapError) as error:
        raise ConfigError(path, '', f'is not an MCAP file that can be read ({error})') from error
    metadata = found.get(METADATA, {})
    if metadata.get('format') != str(FORMAT):
        raise ConfigError(path, METADATA, f'expected format {FORMAT} of a recording of the '
                          f'locomotion node, found {metadata.get("format")!r}')
    return metadata, _messages(reader)


def _messages(reader: Any) -> Iterator[Tuple[str, Any, int]]:
    kinds: Dict[str, Any] = {}
    # As they were written, which is the order in which the loop got them.
    for schema, channel, message in reader.iter_messages(log_time_order=False):
        if schema.name not in kinds:
            package, _, name = schema.name.split('/')
            kinds[schema.name] = getattr(importlib.import_module(f'{package}.msg'), name)
        yield channel.topic, deserialize_message(message.data, kinds[schema.name]), (
            message.log_time)
