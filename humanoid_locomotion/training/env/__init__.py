# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training environment: observations, rewards, terminations, commands and randomisation."""
