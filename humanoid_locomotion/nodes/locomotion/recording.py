# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Records inputs and outputs of a control loop to an MCAP file, in another thread.

The file contains ROS 2 messages with their definitions, so that common viewers open it: the inputs
as received, one ``control_step`` per step, and one ``event`` per request.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from pathlib import Path
import queue
import re
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Tuple

from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import BatteryState, Imu, JointState, Temperature
from std_msgs.msg import Float64, Float64MultiArray, MultiArrayDimension, String

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

METADATA = 'humanoid_locomotion'
FORMAT = 1
ROOM = 20_000  # messages in the queue to the disk
PATIENCE = 5.0  # [s] to write the queue at the end
KINDS = (JointState, Imu, Odometry, Twist, TwistStamped, String, Float64, Float64MultiArray,
         BatteryState, Temperature, *conversions.ARM_TOPICS.values())
SEPARATOR = '=' * 80


def step_fields(loop: ControlLoop, targets: np.ndarray) -> Dict[str, np.ndarray]:
    """Return inputs and outputs of a control step, one row each."""
    state, controller = loop.sensors.state, loop.machine.controller
    rows = {name: value for name, value in vars(state).items() if value is not None}
    return {**rows, 'command': loop.command.command, 'observation': controller.observation,
            'action': controller.previous_action, 'targets': np.atleast_2d(targets)}


def nanoseconds(now: float) -> int:
    """Return the node's time in ns, as in MCAP; :func:`seconds` converts it back exactly."""
    return round(now * 1e6) * 1000


def seconds(nanoseconds: int) -> float:
    """Return the node's time in whole microseconds [s]."""
    return (nanoseconds // 1000) / 1e6


class WholeWrites:
    """A new file in which each write is complete or absent.

    MCAP's writer writes whole records, so that a file on a full disk ends with a whole record.
    """

    def __init__(self, path: Path):
        self._file = io.FileIO(path, 'xb')
        self.tell, self.close = self._file.tell, self._file.close

    def write(self, data: bytes) -> int:
        """Write all data; on failure restore the file's previous length and raise OSError."""
        begin, left = self.tell(), memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0:]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(begin)
                self._file.seek(begin)
            raise
        return len(data)


class Recorder:
    """Writes one recording.

    Args:
        parameters: The parameters of the node; they are stored in the file.
        loop: The control loop to record.
        is_simulated: Whether the clock is a simulator's.
        on_problem: Called once, by the writing thread, with the reason if the recording ends
            early.

    Attributes:
        path: The file.
        lost: Number of messages dropped by a full queue; 0 unless the disk is too slow.
        problem: Why the recording ended early; empty if it did not.
    """

    def __init__(self, parameters: LocomotionParameters, loop: ControlLoop, is_simulated: bool,
                 on_problem: Callable[[str], object] = lambda text: None):
        try:
            from mcap.writer import Writer
        except ImportError as error:
            raise MissingPackageError('record:=true', 'mcap', 'pip install mcap') from error
        self._loop, self.lost, self.problem = loop, 0, ''
        self._on_problem = on_problem
        self._definitions = {kind: definition(_package(kind), kind.__name__) for kind in KINDS}
        folder, opened = Path(parameters.record_folder), loop.folder
        # Milliseconds: two robots may start at once.
        begin = f'{time.strftime("%Y%m%d-%H%M%S")}-{time.time_ns() // 1_000_000 % 1000:03d}'
        self.path = folder / f'locomotion-{begin}.mcap'
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = WholeWrites(self.path)
            self._writer = Writer(self._file)  # type: ignore[arg-type]
            self._writer.start(profile='ros2', library='humanoid_locomotion')
            self._writer.add_metadata(METADATA, {
                'format': str(FORMAT), 'policy': str(opened.path.resolve()),
                'fingerprint': opened.contract.fingerprint, 'engine': opened.policy.name,
                'is_simulated': json.dumps(is_simulated),
                'parameters': json.dumps(dataclasses.asdict(parameters))})
        except OSError as error:
            raise ConfigError(self.path, '', f'cannot be written ({error.strerror}); choose '
                              'another record_folder') from error
        self._channels: Dict[str, int] = {}
        self._layout: List[Any] = []
        self._waiting: queue.Queue = queue.Queue(ROOM)
        self._thread = threading.Thread(target=self._work, name='recorder', daemon=True)
        self._thread.start()

    def message(self, topic: str, msg: Any, now: float) -> None:
        """Write a message; it must not be changed afterwards."""
        try:
            self._waiting.put_nowait((topic, msg, nanoseconds(now)))
        except queue.Full:
            self.lost += 1

    def event(self, now: float, name: str, **details: Any) -> None:
        """Write a request to the control loop."""
        text = json.dumps({'event': name, **details})
        self.message('locomotion/event', String(data=text), now)

    def step(self, now: float, targets: np.ndarray) -> None:
        """Write inputs and outputs of a control step."""
        fields = step_fields(self._loop, targets)
        data = np.concatenate([row[0] for row in fields.values()]).astype(np.float64)
        sizes = [(name, row.shape[1]) for name, row in fields.items()]
        self.message('locomotion/control_step', (data, sizes), now)

    def close(self) -> None:
        """Write the queue and end the file; after a problem it ends with its last whole record.

        The wait for a blocked disk is limited to :data:`PATIENCE`.
        """
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=PATIENCE)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self.problem = self.problem or f'writing to {self.path} was blocked for {PATIENCE:g} s'
            return  # the daemon thread still uses the file
        try:
            if not self.problem:
                self._writer.finish()
            self._file.close()
        except Exception as error:  # the topics of the node must still be freed
            self.problem = f'{type(error).__name__}: {error}'

    def _work(self) -> None:
        while True:
            item = self._waiting.get()
            if item is None:
                return
            if not self.problem:
                try:
                    self._write(*item)
                except Exception as error:  # the robot continues to walk with a full disk
                    self.problem = f'{type(error).__name__}: {error}'
                    self._on_problem(f'the recording {self.path} ends here: {self.problem}')

    def _write(self, topic: str, msg: Any, stamp: int) -> None:
        if isinstance(msg, tuple):
            msg = _labelled(*msg)
        kind = type(msg)
        if topic not in self._channels:
            schema = self._writer.register_schema(
                f'{_package(kind)}/msg/{kind.__name__}', 'ros2msg',
                self._definitions[kind].encode())
            self._channels[topic] = int(self._writer.register_channel(topic, 'cdr', schema))
        self._writer.add_message(self._channels[topic], stamp, serialize_message(msg), stamp)


def _package(kind: type) -> str:
    return kind.__module__.split('.')[0]


def _share(package: str) -> Path:
    try:
        return Path(get_package_share_directory(package))
    except (LookupError, OSError):  # ROS installed from wheels has no sourced environment
        return Path(sys.prefix) / 'share' / package


def _labelled(data: np.ndarray, sizes: List[Tuple[str, int]]) -> Float64MultiArray:
    msg = Float64MultiArray(data=data.tolist())
    msg.layout.dim = [MultiArrayDimension(label=name, size=size) for name, size in sizes]
    return msg


def definition(package: str, name: str) -> str:
    """Return a message definition with its dependencies, in MCAP's ``ros2msg`` format."""
    texts: Dict[str, str] = {}
    waiting = [(package, name)]
    while waiting:
        owner, kind = waiting.pop(0)
        if f'{owner}/{kind}' in texts:
            continue
        path = _share(owner) / 'msg' / f'{kind}.msg'
        text = texts[f'{owner}/{kind}'] = path.read_text(encoding='utf-8')
        for other, inner in re.findall(
                r'^\s*(?:(\w+)/)?(?:msg/)?([A-Z]\w*)(?:\[[^\]]*\])?\s+\w', text, re.MULTILINE):
            waiting.append((other or owner, inner))
    first, *rest = texts.items()
    return first[1] + ''.join(f'\n{SEPARATOR}\nMSG: {key}\n{text}' for key, text in rest)
