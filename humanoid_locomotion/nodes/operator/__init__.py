# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Operator devices: web viewer, keyboard teleoperation, emergency stop."""
