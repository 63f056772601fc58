# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Safety rules of the control step: their inputs, limits, comparisons and latched result."""
