# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Monitoring of a training run: metrics, progress, viewer, scorecard."""
