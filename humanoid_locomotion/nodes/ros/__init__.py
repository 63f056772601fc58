# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""rclpy helpers shared by several nodes: messages, parameters, executor, QoS."""
