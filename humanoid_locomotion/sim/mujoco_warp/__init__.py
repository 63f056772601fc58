# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backend for MuJoCo Warp: thousands of robots on an NVIDIA GPU."""
