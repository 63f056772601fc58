# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads files of unknown origin within size limits, as plain data, into frozen dataclasses."""
