# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of policy folders: mutated folders must be refused or behave like the original."""
