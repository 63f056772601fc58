# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fault injection: in the stepped control loop, over DDS, and at the viewer."""
