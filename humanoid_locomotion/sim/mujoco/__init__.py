# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backend for MuJoCo: one or many robots on the CPU."""
