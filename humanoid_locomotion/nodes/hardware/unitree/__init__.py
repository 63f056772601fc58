# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unitree's DDS protocol, and a simulated robot that speaks it."""
