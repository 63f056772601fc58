# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks that an installed Isaac Gym behaves as the backend expects, with moving robots."""
