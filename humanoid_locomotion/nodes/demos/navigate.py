# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`humanoid-locomotion navigate`: a simulated robot walks to named places through ROS 2 topics."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
import tempfile
import time
from typing import Any, Dict, List, Optional, Sequence

from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMessage
import numpy as np
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.demos import navigate_plot
from humanoid_locomotion.nodes.demos.navigate_course import (
    PUSH_AFTER,
    PUSHES,
    CourseResult,
    Leg,
    measure,
    pose_of,
)
from humanoid_locomotion.nodes.demos.session import Session, Watcher, ros
from humanoid_locomotion.nodes.navigation.named_places import load_rooms
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.middleware import isolate

TICK = 0.05  # [s] of simulated time
LEG_TIMEOUT = 60.0  # [s] of simulated time; the planner aborts long before
ENDS = ('arrived', 'failed', 'cancelled', 'refused')
TRUTH = 'ground_truth/odom'  # topic of the simulator's odometry if the legs give odom
PAUSE = 1.0  # [s] of standing between two goals


class NavigateNode(Watcher):
    """Publishes one goal after the other, pushes the walking robot and records the course.

    Args:
        legs: The goals.
        push: Velocity that each push adds [m/s]; 0 for none.
        joint_names: The joints to record.

    Attributes:
        legs: The results, filled in during the course.
        commands: Time [s] and velocity command (3,) of each message.
        truth: True position of the robot [m], (3,); None if ``odom`` is the simulator's.
    """

    def __init__(self, legs: Sequence[Leg], push: float, joint_names: Sequence[str]):
        super().__init__('navigate', joint_names)
        self.legs, self._push = list(legs), push
        self.commands: List[tuple[float, np.ndarray]] = []
        self.truth: Optional[np.ndarray] = None
        self._index, self._pause_until = 0, 0.0
        self._said = self.create_publisher(String, 'say_goal', qos.VELOCITY_COMMAND)
        self.create_subscription(String, 'planner/state', self._on_status, qos.LATCHED)
        self.create_subscription(PathMessage, 'planner/path', self._on_path, qos.LATCHED)
        self.create_subscription(Twist, 'cmd_vel', self._on_command, qos.VELOCITY_COMMAND)
        self.create_subscription(Odometry, TRUTH, self._on_truth, qos.SENSOR_INPUT)
        self._push_client: Any = self.create_client(Trigger, 'sim/push')
        self._parameters_client: Any = self.create_client(SetParameters, 'sim/set_parameters')
        self.create_timer(TICK, self._tick)

    @property
    def segment(self) -> int:
        """Index of the current goal; the number of goals at the end."""
        return self._index

    @property
    def is_done(self) -> bool:
        """Whether the course is finished."""
        return self._index >= len(self.legs)

    @property
    def is_heard(self) -> bool:
        """Whether the planner subscribes and the robot can be pushed."""
        return bool(self._said.get_subscription_count() > 0
                    and self._push_client.service_is_ready()
                    and self._parameters_client.service_is_ready())

    @property
    def leg(self) -> Optional[Leg]:
        """The current leg; None before and after the course, and between two legs."""
        is_on = self.has_begun and not self.is_done
        leg = self.legs[self._index] if is_on else None
        return leg if leg is not None and leg.begin == leg.begin else None

    def _tick(self) -> None:
        if not self.has_begun or self.is_done or not self.samples:
            return
        now, leg = self.elapsed, self.legs[self._index]
        if leg.begin != leg.begin:
            if now >= self._pause_until:
                leg.begin = now
                self._said.publish(String(data=leg.name))
            return
        if self._push and not leg.pushes and now - leg.begin > PUSH_AFTER:
            self._push_robot(leg, now)
        if now - leg.begin > LEG_TIMEOUT:
            self._end(f'failed: not reached after {LEG_TIMEOUT:g} s')

    def _push_robot(self, leg: Leg, now: float) -> None:
        forward, left = (self._push * part for part in PUSHES[self._index % len(PUSHES)])
        heading = rotations.yaw_quaternion(rotations.yaw(self.samples[-1].orientation))
        leg.pushes.append((now, rotations.rotate(heading, np.array([forward, left, 0.0]))[:2]))
        request = SetParameters.Request(parameters=[
            ParameterMessage(name=name, value=ParameterValue(
                type=ParameterType.PARAMETER_DOUBLE, double_value=value))
            for name, value in (('push_x', forward), ('push_y', left))])
        future = self._parameters_client.call_async(request)
        future.add_done_callback(self._call_push)

    def _call_push(self, _: Any) -> None:
        self._push_client.call_async(Trigger.Request())

    def _end(self, status: str) -> None:
        leg = self.legs[self._index]
        leg.status, leg.end = status, self.elapsed
        if self.truth is not None:
            leg.drift = float(np.linalg.norm((self.truth - self.samples[-1].position)[:2]))
        self._pause_until = leg.end + PAUSE
        self._index += 1

    def _on_status(self, msg: String) -> None:
        leg = self.leg
        # A late status of the previous goal is ignored: every status names its goal.
        if leg is None or not (leg.name in msg.data or msg.data.startswith('refused')):
            return
        leg.status = msg.data
        if msg.data.startswith(ENDS):
            self._end(msg.data)

    def _on_path(self, msg: PathMessage) -> None:
        if self.leg is not None:
            self.leg.plans.append(np.array(
                [[it.pose.position.x, it.pose.position.y] for it in msg.poses]))

    def _on_truth(self, msg: Odometry) -> None:
        self.truth = conversions.odom_position(msg)

    def _on_command(self, msg: Twist) -> None:
        if self.has_begun and not self.is_done:
            self.commands.append(
                (self.elapsed, np.array([msg.linear.x, msg.linear.y, msg.angular.z])))


def navigate(policy: str, robot: str = '', engine: str = 'auto', rooms: str = 'rooms',
             goals: Sequence[str] = (), push: float = 0.5, by_legs: bool = False,
             output: Optional[Path] = None, as_json: bool = False) -> int:
    """Walk to named places, one after the other, and report the result.

    Args:
        policy: A policy folder, or the name of a shipped policy.
        robot: The robot; empty for that of the policy.
        engine: Inference engine: ``auto``, ``onnxruntime`` or ``torch``.
        rooms: The named places: a file, or the name of one in ``config/nodes``.
        goals: Names of the places; empty for all of the file, the first one last.
        push: Velocity of a push, once on the path to each goal [m/s]; 0 for none.
        by_legs: Whether the planner uses leg odometry instead of the simulator's odometry. The
            difference of the two is then reported, too.
        output: Folder for ``navigate.png`` and the nodes' logs; None for none.
        as_json: Whether to print JSON.

    Returns:
        0 if every goal was reached, 1 otherwise.

    Raises:
        LocomotionError: The policy does not open, a place is unknown, or a node failed.
    """
    console = Console(quiet=as_json)
    opened = open_policy(policy, engine)  # first: an invalid one is refused before anything runs
    folder, spec = opened.path, load_robot(robot or opened.contract.robot)
    rooms_file = config_file('nodes', rooms).resolve()
    known = load_rooms(rooms_file)
    names = list(goals) or [*list(known.rooms)[1:], *list(known.rooms)[:1]]
    legs = [Leg(name.strip().lower(), known.find(name).pose) for name in names]
    domain = isolate()
    console.print(f'[bold]{spec.name}[/bold] walks to {", ".join(names)}, ROS_DOMAIN_ID={domain}')
    with tempfile.TemporaryDirectory() as temporary:
        logs = output or Path(temporary)
        logs.mkdir(parents=True, exist_ok=True)
        started: Dict[str, Dict[str, object]] = {
            'sim': {'robot': spec.folder},
            'planner': {'policy': folder.resolve(), 'rooms': rooms_file, 'use_sim_time': True},
            'locomotion': {'policy': folder.resolve(), 'robot': spec.folder, 'engine': engine,
                           'autostart': True, 'use_sim_time': True}}
        remappings: Dict[str, Dict[str, str]] = {}
        if by_legs:
            started['odometry'] = {'robot': spec.folder, 'use_sim_time': True}
            remappings['sim'] = {'odom': TRUTH}
        with ros():
            node = NavigateNode(legs, push, spec.joint_names)
            with contextlib.closing(Session(node, started, logs, remappings)) as session:
                result = _run(console, node, session)
    _print_result(console, result)
    if as_json:
        Console(soft_wrap=True).print_json(json.dumps(result.to_mapping()))
    if output is not None:
        navigate_plot.draw(output / 'navigate.png', node.legs, node.samples, node.commands,
                              spec.folder)
        console.print(f'picture and logs: {output}')
    return result.exit_code


def _run(console: Console, node: NavigateNode, session: Session) -> CourseResult:
    with console.status('waiting for the robot to stand'):
        session.wait_until_standing()
    node.begin()
    begin, shown, trouble = time.monotonic(), 0.0, ''
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not (node.is_done or trouble):
            trouble = session.spin()
            if node.samples and time.monotonic() - shown > 0.25:
                shown = time.monotonic()
                live.update(_live_text(node), refresh=True)
    factor = node.elapsed / (time.monotonic() - begin)
    results = [measure(leg, node.samples, i) for i, leg in enumerate(node.legs)
               if leg.begin == leg.begin]
    return CourseResult(results, len(node.legs), trouble, factor)


def _live_text(node: NavigateNode) -> Text:
    leg = node.legs[min(node.segment, len(node.legs) - 1)]
    x, y, heading = pose_of(node.samples[-1])
    distance = float(np.linalg.norm(leg.goal[:2] - [x, y]))
    return Text(f'{node.elapsed:5.1f} s  {leg.status or "standing"}  at ({x:.2f} m, {y:.2f} m, '
                f'{heading:.2f} rad), {distance:.2f} m to go')


def _print_result(console: Console, result: CourseResult) -> None:
    table, drifts = Table(), any(leg.drift is not None for leg in result.legs)
    for column in ('goal', 'time\n[s]', 'straight\n[m]', 'walked\n[m]', 'off by\n[m]',
                   'and by\n[rad]', *(['drift\n[m]'] if drifts else []), 'pushes', 'plans', ''):
        table.add_column(Text(column), justify='left' if column in ('goal', '') else 'right')
    for leg in result.legs:
        drift = '-' if leg.drift is None else f'{leg.drift:.2f}'
        table.add_row(
            leg.name, f'{leg.seconds:.1f}', f'{leg.straight:.2f}', f'{leg.walked:.2f}',
            f'{leg.position_error:.2f}', f'{leg.heading_error:.2f}',
            *([drift] if drifts else []), str(leg.pushes), str(leg.plans),
            Text('reached' if leg.reached else leg.status))
    print_table(console, table)
    verdict = f'{result.reached} of {result.goals} goals reached' + (
        f'; {result.trouble}' if result.trouble else '')
    console.print(f'real-time factor {result.real_time_factor:.2f}')
    console.print(Text(verdict, style='bold red' if result.exit_code else 'bold green'))
