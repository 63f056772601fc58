# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The steps of drafting a robot: reading its file, checking, reducing and completing it."""
