# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The odometry node: publishes pose and velocity of the base from leg odometry and IMU."""
