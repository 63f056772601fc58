# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The hands on the viewer's pages: what their script says, read without trusting it.

The server asks each page twenty times a second whether its hand is still there; every question has
a number. The page's script answers only while a control is really held down, and repeats the
number of the last question it saw. So a sign of life is as old as that question, however long it
was under way, and what a network held back moves nothing when it arrives.
"""

from __future__ import annotations

from collections import OrderedDict
import json
from pathlib import Path
import time
from typing import Any, Callable, Dict

import numpy as np

from humanoid_locomotion.core.command import NUM_VELOCITY, VELOCITY_AXES, CommandSpec
from humanoid_locomotion.nodes.operator.dead_man import TIMEOUT, DeadMan

PAGE = Path(__file__).with_name('viewer_hands.html')
SLIDERS = '\n  '.join(
    f'<label>{axis.title} <input type="range" tabindex="-1" data-part="{i}"></label>'
    for i, axis in enumerate(VELOCITY_AXES))
MAX_NUMBER = 2 ** 53  # the largest whole number that a browser counts to


class Hands:
    """Reports the hands on all pages to a dead-man's switch.

    What a page says is a JSON object: ``{"grip": 3, "beat": 170, "drive": [0.4, 0.0, 0.0]}`` while
    a control is held, ``{"release": 3}`` when it is let go, ``{"stop": 1}`` for its first
    emergency stop, which needs no control.

    Args:
        dead_man: The switch.
        limits: Of the velocity commands.
        stop: Called when somebody presses the emergency stop.
        clock: That of the switch.

    Attributes:
        html: The controls and the script.
    """

    def __init__(self, dead_man: DeadMan, limits: CommandSpec, stop: Callable[[], None],
                 clock: Callable[[], float] = time.monotonic):
        self._dead_man, self._limits, self._stop, self._clock = dead_man, limits, stop, clock
        self.html = PAGE.read_text(encoding='utf-8').replace('<!-- sliders -->', SLIDERS)
        self._beat = 0
        self._asked: Dict[str, OrderedDict[int, float]] = {}
        self._stops: Dict[str, int] = {}

    def join(self, who: str) -> str:
        """Return what a page must know: its name and the limits of the command."""
        self._asked[who] = OrderedDict()
        return json.dumps({'you': who, 'lower': list(self._limits.lower),
                           'upper': list(self._limits.upper)})

    def ask(self, who: str) -> str:
        """Return a question whether the hand is still there, and what the page shows."""
        now, asked = self._clock(), self._asked[who]
        while asked and now - next(iter(asked.values())) > TIMEOUT:
            asked.popitem(last=False)
        self._beat += 1
        asked[self._beat] = now
        return json.dumps({'beat': self._beat, 'holder': self._dead_man.holder,
                           'lost': self._dead_man.lost(who),
                           'stops': self._stops.get(who, 0)})

    def hear(self, who: str, message: str) -> None:
        """Take what a page says.

        Raises:
            ValueError: It is not what the page's script would say.
        """
        try:
            said = json.loads(message)
        except RecursionError as error:
            raise ValueError('nested too deeply') from error
        if isinstance(said, dict) and set(said) == {'stop'}:
            self._stops[who] = _whole(said['stop'])
            self._stop()
        elif isinstance(said, dict) and set(said) == {'release'}:
            _whole(said['release'])
            self._dead_man.release(who)
        elif isinstance(said, dict) and set(said) == {'grip', 'beat', 'drive'}:
            seen = self._asked[who].get(_whole(said['beat']))
            grip, wanted = _whole(said['grip']), self._limits.clamp(_velocity(said['drive']))
            if seen is not None:
                self._dead_man.hold(who, grip, np.array(wanted, np.float64), seen)
        else:
            raise ValueError('not a message of the page')

    def leave(self, who: str) -> None:
        """Take the hand away with its page."""
        self._asked.pop(who, None)
        self._stops.pop(who, None)
        self._dead_man.leave(who)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < MAX_NUMBER:
        raise ValueError('not a number of the page')
    return value


def _velocity(value: Any) -> np.ndarray:
    if not (isinstance(value, list) and len(value) == NUM_VELOCITY and all(
            type(part) in (int, float) and abs(part) < MAX_NUMBER for part in value)):
        raise ValueError('not a velocity')
    return np.array(value, np.float64)
