# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Questions to a simulator: does it move a robot as the robot's URDF says?"""
