# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes, and the conversions between ROS messages and the core."""
