# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The viewer's panel: what is going on, and requests to the robot."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Deque, Sequence

import numpy as np

from humanoid_locomotion.core.command import VELOCITY_AXES, CommandRange

HISTORY = 200  # samples that the curves show
STEPS = 100  # of the slider of a command axis
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
        self._gui = gui = server.gui
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
                title=axis.title, scales={'x': {'time': False}}, legend={'show': False},
                height=120)
                for axis in VELOCITY_AXES]

    def add_axes(self, axes: Sequence[CommandRange], set_axis: Callable[[str, float], None]
                 ) -> None:
        """Add a slider per command axis; ``set_axis`` is called with its name and value."""
        for it in axes:
            slider = self._gui.add_slider(
                it.axis.title, it.lower, it.upper, (it.upper - it.lower) / STEPS, it.rest)
            slider.on_update(lambda event, name=it.axis.name: set_axis(
                name, float(event.target.value)))

    def show(self, text: str, seconds: float, commanded: np.ndarray,
             achieved: np.ndarray) -> None:
        """Show a line of text and one more sample of the velocities (3,)."""
        self._text.content = text
        self._curves.append(np.array([seconds, *commanded, *achieved]))
        table = np.array(self._curves)
        for i, plot in enumerate(self._plots):
            plot.data = (table[:, 0] - table[-1, 0], table[:, 1 + i], table[:, 4 + i])
