# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Named places as goals, read from a YAML file; independent of ROS."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import Dict

import numpy as np

from humanoid_locomotion.core.errors import UnknownNameError
from humanoid_locomotion.core.reading import config


@dataclass(frozen=True)
class Room:
    """A named place: a goal pose.

    Attributes:
        x: Position in the frame of the file [m].
        y: Position in the frame of the file [m].
        heading: Heading, counter-clockwise from the x axis [rad].
    """

    x: float
    y: float
    heading: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.heading))):
            raise ValueError(f'x, y and heading must be finite, found {self.x}, {self.y} and '
                             f'{self.heading}')

    @property
    def pose(self) -> np.ndarray:
        """(3,) x [m], y [m], heading [rad]."""
        return np.array([self.x, self.y, self.heading])


@dataclass(frozen=True)
class Rooms:
    """The content of a file of named places.

    Attributes:
        frame: Frame of the poses.
        rooms: The places by name, in lower case.
    """

    frame: str
    rooms: Dict[str, Room]

    def find(self, said: str) -> Room:
        """Return a place by name, ignoring case and surrounding spaces.

        Raises:
            UnknownNameError: The name is unknown; the message lists the known ones.
        """
        name = said.strip().lower()
        if name not in self.rooms:
            raise UnknownNameError('room', name, self.rooms)
        return self.rooms[name]


def load_rooms(path: Path) -> Rooms:
    """Read a file of named places.

    Raises:
        ConfigError: The file cannot be read, or a key or value is not valid.
    """
    read = config.load(Rooms, path)
    return Rooms(read.frame, {name.strip().lower(): room for name, room in read.rooms.items()})
