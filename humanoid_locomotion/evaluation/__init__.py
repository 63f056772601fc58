# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of policies: a fixed protocol of simulated trials, and its scorecard."""
