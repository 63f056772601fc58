# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training of walking policies: vectorised environment, PPO and export of policy folders."""
