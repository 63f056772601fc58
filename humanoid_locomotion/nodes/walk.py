"""`humanoid-locomotion walk`: a simulated robot walks a profile through real ROS 2 topics."""

from __future__ import annotations

import contextlib
from pathlib import Path
import signal
import tempfile
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes import conversions, qos, walk_picture
from humanoid_locomotion.nodes.executor import make_executor
from humanoid_locomotion.nodes.walk_processes import NodeProcess, isolate
from humanoid_locomotion.nodes.walk_profile import (
    PROFILE,
    Sample,
    Segment,
    WalkResult,
    fallen,
    heading_velocity,
    measure,
)

COMMAND_PERIOD = 0.05  # [s] of simulated time
START_TIMEOUT = 60.0  # [s] until the robot stands
CATCH_UP = 0.5  # [s]
STALL_TIMEOUT = 10.0  # [s] without news from the robot
SHOWN = 20  # samples that the live table averages over


class WalkNode(Node):
    """Publishes the profile on ``cmd_vel`` and writes down what ``odom`` says."""

    def __init__(self, profile: Sequence[Segment], joint_names: Sequence[str]):
        super().__init__('walk', parameter_overrides=[Parameter('use_sim_time', value=True)])
        self._profile = profile
        self._ends = np.cumsum([segment.seconds for segment in profile])
        self._joints = conversions.JointReader(joint_names)
        self._begin: Optional[float] = None
        self.samples: List[Sample] = []
        self.joint_positions: Optional[np.ndarray] = None
        self.state = ''
        self.last_news = time.monotonic()
        self._commands = self.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_subscription(Odometry, 'odom', self._on_odom, qos.SENSOR_INPUT)
        self.create_subscription(
            JointState, 'joint_states', self._on_joint_states, qos.SENSOR_INPUT)
        self.create_subscription(String, 'locomotion/state', self._on_state, qos.LATCHED)
        self.create_timer(COMMAND_PERIOD, self._publish_command)

    @property
    def elapsed(self) -> float:
        """Simulated time since the profile began [s]."""
        return 0.0 if self._begin is None else self._now() - self._begin

    @property
    def segment(self) -> int:
        """Index of the present segment; the number of segments at the end."""
        return int(np.searchsorted(self._ends, self.elapsed, side='right'))

    @property
    def is_done(self) -> bool:
        """Whether the profile is at its end."""
        return self.segment >= len(self._profile)

    def begin(self) -> None:
        """Begin the profile."""
        self._begin = self._now()

    def _now(self) -> float:
        return 1e-9 * float(self.get_clock().now().nanoseconds)

    def _publish_command(self) -> None:
        if self._begin is None or self.is_done:
            return
        msg = Twist()
        msg.linear.x, msg.linear.y, msg.angular.z = self._profile[self.segment].command
        self._commands.publish(msg)

    def _on_odom(self, msg: Odometry) -> None:
        self.last_news = time.monotonic()
        if self._begin is None or self.is_done:
            return
        orientation = conversions.odom_orientation(msg)
        angular = msg.twist.twist.angular
        velocity = heading_velocity(
            orientation, conversions.odom_linear_velocity(msg),
            np.array([angular.x, angular.y, angular.z]))
        self.samples.append(Sample(
            self.elapsed, self.segment, conversions.odom_position(msg), orientation, velocity,
            self.joint_positions))

    def _on_joint_states(self, msg: JointState) -> None:
        self.joint_positions = self._joints.positions(msg)

    def _on_state(self, msg: String) -> None:
        self.state = msg.data


def walk(policy: str, robot: str = '', engine: str = 'auto', seconds_scale: float = 1.0,
         output: Optional[Path] = None) -> int:
    """Walk the profile and say how it went.

    Args:
        policy: A policy folder, or the name of one that ships.
        robot: The robot; empty for the one the policy was trained for.
        engine: What runs the network: ``auto``, ``onnxruntime`` or ``torch``.
        seconds_scale: Factor on the profile's durations.
        output: Folder for ``walk.png`` and the nodes' logs; None for none.

    Returns:
        0 if the robot walked and never fell, 1 otherwise.

    Raises:
        LocomotionError: The policy does not open, or a node could not do its work.
    """
    console = Console()
    opened = open_policy(policy, engine)  # here, so that a bad one is refused before anything runs
    folder, spec = opened.path, load_robot(robot or opened.contract.robot)
    profile = [Segment(s.name, s.command, s.seconds * seconds_scale) for s in PROFILE]
    domain = isolate()
    console.print(f'[bold]{spec.name}[/bold] walks {folder}, ROS_DOMAIN_ID={domain}')
    with tempfile.TemporaryDirectory() as temporary:
        logs = output or Path(temporary)
        logs.mkdir(parents=True, exist_ok=True)
        with _ros(profile, spec.joint_names) as (node, executor):
            started: Dict[str, Dict[str, object]] = {
                'sim': {'robot': spec.folder},
                'locomotion': {'policy': folder.resolve(), 'engine': engine, 'autostart': True,
                               'use_sim_time': True}}
            result = _run(console, node, executor, profile, started, logs)
    _print_result(console, result)
    if output is not None:
        walk_picture.draw(
            output / 'walk.png', profile, node.samples, spec.folder)
        console.print(f'picture and logs: {output}')
    return result.exit_code


@contextlib.contextmanager
def _ros(profile: Sequence[Segment], joints: Sequence[str]) -> Iterator[Tuple[WalkNode, Any]]:
    # Without rclpy's signal handlers Ctrl-C is an ordinary KeyboardInterrupt, and so SIGTERM is
    # made one: the nodes must not outlive this process.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    node, executor = WalkNode(profile, joints), make_executor()
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        signal.signal(signal.SIGTERM, previous)
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


def _run(console: Console, node: WalkNode, executor: Any, profile: Sequence[Segment],
         started: Dict[str, Dict[str, object]], logs: Path) -> WalkResult:
    processes: List[NodeProcess] = []
    try:
        for name, parameters in started.items():
            processes.append(NodeProcess(name, parameters, logs / f'{name}.log'))
        with console.status('waiting for the robot to stand'):
            _wait_until_standing(node, executor, processes)
        for process in processes:
            process.start_measuring()
        node.begin()
        begin = time.monotonic()
        fall = _follow(console, node, executor, profile, processes)
        factor = node.elapsed / (time.monotonic() - begin)
        cores = {process.name: process.cores() for process in processes}
        return WalkResult(measure(profile, node.samples), fall, factor, cores)
    finally:
        for process in reversed(processes):
            process.stop()


def _wait_until_standing(node: WalkNode, executor: Any, processes: List[NodeProcess]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while node.state != 'standing':
        executor.spin_once(timeout_sec=0.1)
        for process in processes:
            process.check()
        if node.state.startswith('fault') or time.monotonic() > deadline:
            raise LocomotionError(f'the robot does not stand, it is {node.state or "silent"!r}:\n'
                                  f'{processes[-1].tail()}')
    # What queued up while the nodes started must not count: the profile begins now.
    deadline = time.monotonic() + CATCH_UP
    while time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)


def _follow(console: Console, node: WalkNode, executor: Any, profile: Sequence[Segment],
            processes: List[NodeProcess]) -> str:
    """Spin until the profile ends; return how the robot fell, if it did."""
    shown = 0.0
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not node.is_done:
            executor.spin_once(timeout_sec=0.1)
            if time.monotonic() - node.last_news > STALL_TIMEOUT:
                for process in processes:
                    process.check()
                raise LocomotionError(f'no odom for {STALL_TIMEOUT:g} s')
            if not node.samples:
                continue
            fall = fallen(node.samples[-1], node.samples[0].position[2])
            if fall or node.state.startswith('fault'):
                return fall or f'{node.state}, after {node.elapsed:.1f} s'
            if time.monotonic() - shown > 0.25:
                shown = time.monotonic()
                live.update(_live_table(node, profile), refresh=True)
    return ''


def _live_table(node: WalkNode, profile: Sequence[Segment]) -> Table:
    segment = profile[min(node.segment, len(profile) - 1)]
    achieved = np.mean([sample.velocity for sample in node.samples[-SHOWN:]], axis=0)
    table = Table(title=f'{node.elapsed:5.1f} s  {segment.name}  ({node.state})')
    for column in ('', 'commanded', 'achieved'):
        table.add_column(column, justify='right')
    for label, asked, got in zip(walk_picture.LABELS, segment.command, achieved):
        table.add_row(Text(label), f'{asked:.2f}', f'{got:.2f}')
    return table


def _print_result(console: Console, result: WalkResult) -> None:
    table = Table(title=Text('forward [m/s], left [m/s], turning left [rad/s]'))
    for column in ('segment', 'commanded', 'achieved', 'error'):
        table.add_column(column, justify='left' if column == 'segment' else 'right')
    for row in result.segments:
        table.add_row(row.segment.name, *(
            '  '.join(f'{value:5.2f}' for value in values)
            for values in (row.segment.command, row.achieved, row.error)))
    console.print(table)
    cores = ', '.join(f'{name} {"?" if share is None else f"{100.0 * share:.0f} %"}'
                      for name, share in result.cores.items())
    console.print(f'real-time factor {result.real_time_factor:.2f}; share of a core: {cores}')
    verdict = f'fell: {result.fall}' if result.fall else (
        'walked without falling' if result.walked else 'stood, but did not walk')
    console.print(f'[bold]{verdict}[/bold]', style='red' if result.exit_code else 'green')
