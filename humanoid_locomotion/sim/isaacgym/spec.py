# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The settings of PhysX in a training config; readable without Isaac Gym."""

from __future__ import annotations

from dataclasses import dataclass

GROUNDS = ('trimesh', 'heightfield')


@dataclass(frozen=True)
class IsaacGymSpec:
    """Solver and buffers of PhysX; other simulators ignore it. Defaults are legged_gym's.

    Attributes:
        position_iterations: Iterations of the solver for positions in a physics step.
        velocity_iterations: Iterations for velocities.
        max_contact_pairs: Contact pairs that PhysX reserves on the GPU, for all robots together.
            Memory that is reserved and not used is lost; too few pairs let robots sink.
        buffer_multiplier: Factor on PhysX's other buffers.
        contact_offset: Distance at which contacts are generated [m].
        max_depenetration_velocity: Largest speed at which overlaps are pushed apart [m/s].
        ground: Form of a `terrain`: ``trimesh``, exactly the surface of all height lookups, or
            ``heightfield``, in steps of 1 mm and with PhysX's own diagonals, in less memory.
    """

    position_iterations: int = 4
    velocity_iterations: int = 0
    max_contact_pairs: int = 2 ** 23
    buffer_multiplier: float = 5.0
    contact_offset: float = 0.01
    max_depenetration_velocity: float = 1.0
    ground: str = 'trimesh'

    def __post_init__(self) -> None:
        if self.ground not in GROUNDS:
            raise ValueError(f'ground: found {self.ground!r}, expected one of {GROUNDS}')
        for name, low, high in (
                ('position_iterations', 1, 255), ('velocity_iterations', 0, 255),
                ('max_contact_pairs', 2 ** 10, 2 ** 30), ('buffer_multiplier', 0.1, 100.0),
                ('contact_offset', 1e-4, 0.1), ('max_depenetration_velocity', 1e-3, 1e3)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f'{name} must be {low:g} to {high:g}, found {value}')
