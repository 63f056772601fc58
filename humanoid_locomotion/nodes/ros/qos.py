# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""QoS profiles of the nodes."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

# The latest sensor message; matches publishers of either reliability.
SENSOR_INPUT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# A burst of messages, one per motor; matches publishers of either reliability.
PARTS_INPUT = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
PARTS_OUTPUT = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
# For publishers: reliable, so that it matches subscribers of either reliability.
SENSOR_OUTPUT = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
COMMAND = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
VELOCITY_COMMAND = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
DIAGNOSTICS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
