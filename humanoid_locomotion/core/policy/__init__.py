# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policy folders: reading, checking, opening, writing and running an exported policy."""
