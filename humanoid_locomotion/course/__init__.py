# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The names of the course, as views of this package; ``docs/course.md`` explains the differences.

from humanoid_locomotion.course import HumanoidEnvConfig, HumanoidIsaacEnv

env = HumanoidIsaacEnv(HumanoidEnvConfig(num_envs=64))
observations = env.reset()
"""

from __future__ import annotations

from humanoid_locomotion.course.config import HumanoidEnvConfig
from humanoid_locomotion.course.envs import FallbackHumanoidEnv, HumanoidIsaacEnv
from humanoid_locomotion.course.interfaces import ActionMapper, ObservationBuilder

__all__ = ['ActionMapper', 'FallbackHumanoidEnv', 'HumanoidEnvConfig', 'HumanoidIsaacEnv',
           'ObservationBuilder']
