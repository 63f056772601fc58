# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The reward terms; importing this package registers them by name."""

from __future__ import annotations

from humanoid_locomotion.training.env.rewards import feet, motion, standing, tracking
from humanoid_locomotion.training.env.rewards.registry import REWARDS, RewardTerm, register_reward

__all__ = ['REWARDS', 'RewardTerm', 'feet', 'motion', 'register_reward', 'standing', 'tracking']
