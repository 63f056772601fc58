# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Implementation of the public Python interface, see ``docs/api.md``."""
