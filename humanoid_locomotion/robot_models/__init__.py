# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes robot model files: MJCF, URDF, and drafts of robot folders."""
