# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Long-running soak tests: random commands and messages, lifecycle cycles, false alarms."""
