# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks whether a robot folder is worth training, and draws what it describes."""
