# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Drivers of real robots: a node of ours between the topics and a robot's own protocol."""
