# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The locomotion node: computes joint targets from velocity commands and sensor messages."""
