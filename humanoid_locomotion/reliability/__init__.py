# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reliability tests: fault injection, fuzzing and long-running soak tests."""
