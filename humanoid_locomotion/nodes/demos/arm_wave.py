# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Arm motion of the demo and the soak tests: every joint swings through its tested range."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from humanoid_locomotion.core.action import tested_arm_range
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.nodes.ros import qos

PERIOD = 0.02  # [s] between two messages
SLOWEST, FASTEST = 5.5, 3.5  # [s], period of a swing


class ArmWave:
    """Messages for ``arm_command``: one sine for each joint, each with its own period and phase.

    Args:
        contract: The contract of the policy.
        seed: Seed of the periods and phases.

    Raises:
        RefusedError: The policy has no arms.
    """

    def __init__(self, contract: PolicyContract, seed: int = 0):
        ranges = tested_arm_range(contract)
        if not ranges:
            raise RefusedError('arm wave', f'{contract.robot!r} has no joints of an arm, as its '
                               f'joints are {contract.joint_names}')
        self._names, self._ends = list(ranges), np.array(list(ranges.values()))
        random = np.random.default_rng(seed)
        self._rate = 2.0 * np.pi / random.uniform(FASTEST, SLOWEST, len(ranges))
        self._phase = random.uniform(0.0, 2.0 * np.pi, len(ranges))

    def at(self, seconds: float) -> JointState:
        """Return the command of a time [s], without a stamp."""
        low, high = self._ends.T
        swing = np.sin(self._phase + self._rate * seconds)
        return JointState(name=self._names,
                          position=(0.5 * (low + high) + 0.5 * (high - low) * swing).tolist())


class ArmPublisher:
    """Publishes the motion on ``arm_command`` and counts the joints that follow it.

    Args:
        node: The node to publish from.
        wave: The motion.

    Attributes:
        joints: Number of joints in the motion.
        led: Number of joints that follow ``arm_command`` now, as the locomotion node says.
    """

    def __init__(self, node: Node, wave: ArmWave):
        self._wave, self.joints, self.led = wave, len(wave.at(0.0).name), 0
        self._commands = node.create_publisher(JointState, 'arm_command', qos.COMMAND)
        node.create_subscription(String, 'locomotion/led_joints', self._on_led, qos.LATCHED)

    def publish(self, seconds: float) -> None:
        """Publish the command of a time [s]."""
        self._commands.publish(self._wave.at(seconds))

    def _on_led(self, msg: String) -> None:
        self.led = len(msg.data.split(',')) if msg.data else 0
