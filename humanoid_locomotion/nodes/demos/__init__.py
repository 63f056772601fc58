# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demos `walk` and `navigate`: start nodes, drive the robot and evaluate the result."""
