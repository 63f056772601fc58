# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated Unitree robot on the robot's own wire, for tests and rehearsals.

To start it::

    python -m humanoid_locomotion.nodes.hardware.unitree.stand_in --robot unitree_g1 --domain 1

It sends states at 500 Hz, takes motor commands, and refuses them as the firmware does. One JSON
object with its state appears on standard output ten times a second. Lines on standard input change
it while it runs; ``help`` lists them.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING, Dict, List, Optional

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.robot import load_robot

if TYPE_CHECKING:
    from humanoid_locomotion.nodes.hardware.unitree.stand_in_robot import StandIn

REPORT = 0.1  # [s] between two reports


def _read_lines(lines: queue.Queue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        lines.put('quit')  # whoever started this process has ended


def run(robot: StandIn, actions: Dict[str, str], tick: float, seconds: float) -> None:
    """Step the robot in real time, print reports, and act on the lines of standard input."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    start = due = time.monotonic()
    while robot.is_running and due - start < seconds:
        robot.step()
        while not lines.empty():
            line = lines.get()
            try:
                if line.strip() == 'help':
                    print(json.dumps({'help': actions}), flush=True)
                elif line.strip():
                    robot.act(line)
            except (ValueError, IndexError) as error:
                print(json.dumps({'error': f'{line.strip()}: {error}'}), flush=True)
        if robot.ticks % round(REPORT / tick) == 0:
            print(json.dumps(robot.report()), flush=True)
        due = max(due + tick, time.monotonic() - 0.05)  # time that was lost is not made up for
        time.sleep(max(0.0, due - time.monotonic()))


def main(arguments: Optional[List[str]] = None) -> None:
    """Run a simulated robot until it is told to quit."""
    parser = argparse.ArgumentParser(prog='unitree_stand_in', description='A simulated Unitree '
                                     "robot that speaks the robot's DDS protocol.")
    parser.add_argument('--robot', default='unitree_g1', help='name of a robot, or its folder')
    parser.add_argument('--interface', default='lo', help='network interface')
    parser.add_argument('--domain', type=int, default=1, help='DDS domain')
    parser.add_argument('--watchdog', type=float, default=0.0, help='[s] without commands until '
                        'the motors are damped, 0 for never')
    parser.add_argument('--owner', default='', help='mode that drives the motors at first')
    parser.add_argument('--held', action='store_true', help='on the floor, held until the first '
                        'command; else it hangs until the line "lower"')
    parser.add_argument('--seconds', type=float, default=float('inf'), help='end after this time')
    options = parser.parse_args(arguments)
    try:
        from humanoid_locomotion.nodes.hardware.unitree import stand_in_robot as it
        wire = it.Wire(options.interface, options.domain)
        robot = it.StandIn(load_robot(options.robot), wire, options.watchdog, options.owner,
                           not options.held)
        run(robot, it.ACTIONS, it.TICK, options.seconds)
        wire.close()
    except LocomotionError as error:
        sys.exit(f'unitree_stand_in: {error}')


if __name__ == '__main__':
    main()
