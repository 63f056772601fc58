"""Places with names, so that "kitchen" is a goal; knows nothing of ROS."""

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
    """A place to stand at.

    Attributes:
        x: In the frame of the file [m].
        y: Likewise [m].
        heading: Direction to face there, from the x axis to the left [rad].
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
    """The content of a rooms file.

    Attributes:
        frame: In which the figures are given.
        rooms: Each by its name, in lower case.
    """

    frame: str
    rooms: Dict[str, Room]

    def find(self, said: str) -> Room:
        """Return the room that was said; capitals and spaces at the ends do not matter.

        Raises:
            UnknownNameError: There is none of that name; the message lists those that exist.
        """
        name = said.strip().lower()
        if name not in self.rooms:
            raise UnknownNameError('room', name, self.rooms)
        return self.rooms[name]


def load_rooms(path: Path) -> Rooms:
    """Read a rooms file.

    Raises:
        ConfigError: It cannot be read, or a key or figure does not fit.
    """
    read = config.load(Rooms, path)
    return Rooms(read.frame, {name.strip().lower(): room for name, room in read.rooms.items()})
