# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Time from a robot's state to its command, measured on a wire of its own."""

import threading
import time

import pytest

pytest.importorskip('cyclonedds')
pytest.importorskip('rclpy')

from humanoid_locomotion.benchmarks.wire_latency import INTERFACE, Robot, _run
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import sign
from humanoid_locomotion.nodes.hardware.unitree.port import COMMANDS, STATES
from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with


def test_the_time_is_that_from_the_state_to_a_changed_command():
    spec, delay = load_robot('unitree_g1'), 0.004
    robot, machine = Robot(spec, 0), machine_with(spec.joint_names, spec.name)
    wire = Wire(INTERFACE, robot.domain)
    states, commands = wire.reader(STATES, machine.state), wire.writer(COMMANDS, machine.command)
    message, is_ending = machine.command.new(), threading.Event()

    def answer():
        while not is_ending.wait(0.0005):
            for _ in states.take():
                time.sleep(delay)
                message['motor_cmd']['q'] += 0.01
                for _ in range(2):  # the second does not change anything
                    sign(message)
                    commands.write(machine.command.encode(message))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    _run({'robot': robot}, 5.0, until_answered=True)
    robot.latencies.clear()
    _run({'robot': robot}, 0.3)
    is_ending.set()
    thread.join()
    for it in (robot, wire):
        it.close()
    assert 10 < len(robot.latencies) < 45
    assert delay < sorted(robot.latencies)[len(robot.latencies) // 2] < 0.02
