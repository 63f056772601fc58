# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`humanoid-locomotion walk`: a simulated robot walks a profile through ROS 2 topics."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
import tempfile
import time
from typing import Dict, Optional, Sequence

from geometry_msgs.msg import Twist
import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from humanoid_locomotion.console_table import print_table
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.demos import walk_plot
from humanoid_locomotion.nodes.demos.arm_wave import PERIOD, ArmPublisher, ArmWave
from humanoid_locomotion.nodes.demos.session import Session, Watcher, cores_in_words, ros
from humanoid_locomotion.nodes.demos.walk_profile import PROFILE, Segment, WalkResult, measure
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.middleware import isolate

COMMAND_PERIOD = 0.05  # [s] of simulated time
SHOWN = 20  # number of samples averaged in the live table


class WalkNode(Watcher):
    """Publishes the profile on ``cmd_vel`` and records ``odom``.

    Args:
        profile: The velocity commands.
        joint_names: The joints to record.
        wave: Motion of the arms to publish on ``arm_command``; None for none.

    Attributes:
        led: Largest number of joints that have followed ``arm_command`` at once.
    """

    def __init__(self, profile: Sequence[Segment], joint_names: Sequence[str],
                 wave: Optional[ArmWave] = None):
        super().__init__('walk', joint_names)
        self._arms: Optional[ArmPublisher] = None
        self.led = 0
        if wave is not None:
            self._arms = ArmPublisher(self, wave)
            self.create_timer(PERIOD, self._publish_arms)
        self._profile = profile
        self._ends = np.cumsum([segment.seconds for segment in profile])
        self._commands = self.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self.create_timer(COMMAND_PERIOD, self._publish_command)

    @property
    def segment(self) -> int:
        """Index of the current segment; the number of segments at the end."""
        return int(np.searchsorted(self._ends, self.elapsed, side='right'))

    @property
    def is_done(self) -> bool:
        """Whether the profile is finished."""
        return self.segment >= len(self._profile)

    @property
    def is_heard(self) -> bool:
        """Whether the locomotion node subscribes."""
        return bool(self._commands.get_subscription_count() > 0)

    def _publish_arms(self) -> None:
        if self._arms is not None and self.has_begun and not self.is_done:
            self._arms.publish(self.elapsed)
            self.led = max(self.led, self._arms.led)

    def _publish_command(self) -> None:
        if not self.has_begun or self.is_done:
            return
        self._commands.publish(
            conversions.twist(np.array(self._profile[self.segment].command)))


def walk(policy: str, robot: str = '', engine: str = 'auto', seconds_scale: float = 1.0,
         output: Optional[Path] = None, viewer: str = 'none', as_json: bool = False,
         wave: bool = False, hand_payload: float = 0.0) -> int:
    """Walk the profile and report the result.

    Args:
        policy: A policy folder, or the name of a shipped policy.
        robot: The robot; empty for that of the policy.
        engine: Inference engine: ``auto``, ``onnxruntime`` or ``torch``.
        seconds_scale: Factor on the profile's durations.
        output: Folder for ``walk.png`` and the nodes' logs; None for none.
        viewer: ``web`` shows the robot in a browser, and keeps running after the profile, to be
            driven until Ctrl-C; ``none`` does not.
        as_json: Whether to print JSON.
        wave: Whether this process waves the arms through their tested range meanwhile.
        hand_payload: Mass at the end of each arm [kg].

    Returns:
        0 if the robot walked, never fell and, if asked, waved; 1 otherwise.

    Raises:
        LocomotionError: The policy does not open, or a node failed.
    """
    console = Console(stderr=as_json)
    opened = open_policy(policy, engine)  # first: an invalid one is refused before anything runs
    folder, spec = opened.path, load_robot(robot or opened.contract.robot)
    profile = [Segment(s.name, s.command, s.seconds * seconds_scale) for s in PROFILE]
    waving = ArmWave(opened.contract) if wave else None
    domain = isolate()
    console.print(f'[bold]{spec.name}[/bold] walks {folder}, ROS_DOMAIN_ID={domain}')
    with tempfile.TemporaryDirectory() as temporary:
        logs = output or Path(temporary)
        logs.mkdir(parents=True, exist_ok=True)
        started: Dict[str, Dict[str, object]] = {
            'sim': {'robot': spec.folder, 'hand_payload': hand_payload},
            'locomotion': {'policy': folder.resolve(), 'robot': spec.folder, 'engine': engine,
                           'autostart': True, 'use_sim_time': True}}
        if viewer == 'web':
            started['viewer'] = {'policy': folder.resolve(), 'robot': spec.folder}
        with ros():
            node = WalkNode(profile, spec.joint_names, waving)
            with contextlib.closing(Session(node, started, logs)) as session:
                address = session.viewer_address() if viewer == 'web' else ''
                result = _run(console, node, session, profile, address)
                _print_result(console, result)
                if viewer == 'web':
                    _leave_to_browser(console, session, address)
    if as_json:
        Console(soft_wrap=True).print_json(json.dumps(result.to_mapping()))
    if output is not None:
        walk_plot.draw(
            output / 'walk.png', profile, node.samples, spec.folder)
        console.print(f'picture and logs: {output}')
    if wave:
        console.print(f'{node.led} joints were led by arm_command')
    return result.exit_code or int(wave and not node.led)


def _run(console: Console, node: WalkNode, session: Session,
         profile: Sequence[Segment], address: str) -> WalkResult:
    if address:
        console.print(f'watch it at {address}', soft_wrap=True)
    with console.status('waiting for the robot to stand'):
        session.wait_until_standing()
    node.begin()
    begin = time.monotonic()
    fall = _follow(console, node, session, profile)
    factor = node.elapsed / (time.monotonic() - begin)
    return WalkResult(measure(profile, node.samples), fall, factor, session.cores())


def _follow(console: Console, node: WalkNode, session: Session,
            profile: Sequence[Segment]) -> str:
    """Spin until the profile ends; return how the robot fell, empty if it did not."""
    shown = 0.0
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not node.is_done:
            fall = session.spin()
            if fall:
                return fall
            if node.samples and time.monotonic() - shown > 0.25:
                shown = time.monotonic()
                live.update(_live_table(node, profile), refresh=True)
    return ''


def _leave_to_browser(console: Console, session: Session, address: str) -> None:
    """Keep running, so that the robot can be driven in the browser, until Ctrl-C."""
    console.print(f'drive it at {address} ; Ctrl-C ends', soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            session.spin()


def _live_table(node: WalkNode, profile: Sequence[Segment]) -> Table:
    segment = profile[min(node.segment, len(profile) - 1)]
    achieved = np.mean([sample.velocity for sample in node.samples[-SHOWN:]], axis=0)
    table = Table(title=f'{node.elapsed:5.1f} s  {segment.name}  ({node.state})')
    for column in ('', 'commanded', 'achieved'):
        table.add_column(column, justify='right')
    for label, asked, got in zip(walk_plot.LABELS, segment.command, achieved):
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
    print_table(console, table)
    console.print(f'real-time factor {result.real_time_factor:.2f}; '
                  f'{cores_in_words(result.cores)}')
    verdict = f'fell: {result.fall}' if result.fall else (
        'walked without falling' if result.walked else 'stood, but did not walk')
    console.print(f'[bold]{verdict}[/bold]', style='red' if result.exit_code else 'green')
