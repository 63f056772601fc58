# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""All that is needed to run a policy on a robot: no ROS, no simulator, no torch."""
