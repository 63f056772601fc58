"""The viewer's panel: what is going on, and requests to the robot."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque

import numpy as np

from humanoid_locomotion.nodes.operator.teleop import LABELS

HISTORY = 200  # samples that the curves show
REQUESTS = {'Stand': 'locomotion/stand', 'Walk': 'locomotion/walk', 'Damp': 'locomotion/damp',
            'Reset': 'locomotion/reset', 'Push': 'sim/push'}


class Panel:
    """The panel in a browser; what drives the robot is :mod:`viewer_hands`.

    Its callbacks run in viser's threads.

    Args:
        server: viser's server.
        call: Called with the name of a service whose button was pressed.
        set_friction: Called with the friction that was chosen.
    """

    def __init__(self, server: Any, call: Callable[[str], None],
                 set_friction: Callable[[float], None]):
        self._curves: Deque[np.ndarray] = deque(maxlen=HISTORY)
        gui = server.gui
        self._text = gui.add_markdown('waiting for the robot')
        requests = gui.add_button_group('Robot', tuple(REQUESTS))
        requests.on_click(lambda event: call(REQUESTS[event.target.value]))
        with gui.add_folder('Simulator'):
            friction = gui.add_slider('friction', 0.1, 1.5, 0.05, 0.8)
            friction.on_update(lambda event: set_friction(float(event.target.value)))
        with gui.add_folder('Velocity'):
            self._plots = [gui.add_uplot(
                (np.zeros(1), np.zeros(1), np.zeros(1)),
                ({'label': 's'}, {'label': 'commanded', 'stroke': 'rgb(230,150,30)'},
                 {'label': 'achieved', 'stroke': 'rgb(30,110,220)'}),
                title=label, scales={'x': {'time': False}}, legend={'show': False}, height=120)
                for label in LABELS]

    def show(self, text: str, seconds: float, commanded: np.ndarray,
             achieved: np.ndarray) -> None:
        """Show a line of text and one more sample of the velocities (3,)."""
        self._text.content = text
        self._curves.append(np.array([seconds, *commanded, *achieved]))
        table = np.array(self._curves)
        for i, plot in enumerate(self._plots):
            plot.data = (table[:, 0] - table[-1, 0], table[:, 1 + i], table[:, 4 + i])
