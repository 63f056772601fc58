# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""PPO: networks, rollout buffer, update, CUDA graphs and several GPUs."""
