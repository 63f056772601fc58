# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Comparison of policies, of training seeds, and of simulators and their settings."""
