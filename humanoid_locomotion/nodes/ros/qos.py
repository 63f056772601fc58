"""The qualities of service that both nodes use."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

# What a sensor said last; matches publishers of either reliability.
SENSOR_INPUT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# One message for each of many parts, all at once; matches publishers of either reliability.
PARTS_INPUT = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
# The same from the other side: reliable, so that it matches subscribers of either reliability.
SENSOR_OUTPUT = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
COMMAND = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
VELOCITY_COMMAND = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
DIAGNOSTICS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
