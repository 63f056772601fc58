# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backend for Isaac Gym Preview 4: thousands of robots in PhysX, on Python 3.8."""
