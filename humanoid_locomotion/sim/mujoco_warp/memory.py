# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The memory that MuJoCo Warp allocates for each robot."""

from __future__ import annotations

import dataclasses
from typing import Any, Set

import mujoco
import mujoco_warp as mjw
import warp as wp

from humanoid_locomotion.sim.backend import PhysicsSpec
from humanoid_locomotion.sim.mujoco.model import VARIED_FIELDS


def bytes_per_robot(host_model: mujoco.MjModel, physics: PhysicsSpec) -> int:
    """Return the size of the arrays of one robot [bytes].

    It is the difference between the arrays of two robots and of one, made on the CPU.
    """
    one, two = (_bytes_of(put(host_model, physics, robots, wp.get_device('cpu')), set())
                for robots in (1, 2))
    return two - one


def put(host_model: mujoco.MjModel, physics: PhysicsSpec, robots: int, device: Any) -> Any:
    """Return model and data of several robots on a device."""
    data = mujoco.MjData(host_model)
    mujoco.mj_forward(host_model, data)
    with wp.ScopedDevice(device):
        return (mjw.put_model(host_model, batch_sizes=dict.fromkeys(VARIED_FIELDS, robots)),
                mjw.put_data(host_model, data, nworld=robots, nconmax=physics.max_contacts,
                             njmax=physics.max_constraints))


def _bytes_of(value: Any, seen: Set[int]) -> int:
    """Return the size of all arrays in nested dataclasses; each memory is counted once."""
    if isinstance(value, wp.array):
        is_new = value.ptr not in seen
        seen.add(value.ptr)
        return value.capacity if is_new else 0
    if dataclasses.is_dataclass(value):
        value = [getattr(value, it.name, None) for it in dataclasses.fields(value)]
    return sum(_bytes_of(it, seen) for it in value) if isinstance(value, (list, tuple)) else 0
