# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sim node: a robot simulated in MuJoCo with the ROS interface of a real one."""
