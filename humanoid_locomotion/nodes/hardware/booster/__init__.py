# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Booster robots over their ROS 2 messages; never tried with a robot or a simulator."""
