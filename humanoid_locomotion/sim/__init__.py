# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Simulators behind one interface, :class:`~humanoid_locomotion.sim.backend.SimBackend`."""
