# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Message classes without ROS, for packages that are in no registry."""

from __future__ import annotations

from typing import Any


def message(**fields: Any) -> type:
    """Return a class like a message: its fields with their defaults, and no others."""
    def create(self: Any, **values: Any) -> None:
        for name, kind in fields.items():
            setattr(self, name, values.pop(name, kind()))
        assert not values, values
    return type('Message', (), {'__slots__': tuple(fields), '__init__': create})
