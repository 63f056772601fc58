# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: throughput of training and physics, and latency of the locomotion node."""
