# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of the command line: unusual values for every option of every command."""
