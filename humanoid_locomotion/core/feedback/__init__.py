# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Velocity feedback around the network, with the leg kinematics and odometry that it uses."""
