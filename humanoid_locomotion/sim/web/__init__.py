# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Browser viewer: the scene, its web server, and its access control."""
