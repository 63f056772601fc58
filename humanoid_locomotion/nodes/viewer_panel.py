"""The viewer's panel: what is going on, and the controls that drive the robot."""

from __future__ import annotations

from collections import deque
import time
from typing import Any, Callable, Deque, Dict, Tuple

import numpy as np

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.nodes import emergency_stop
from humanoid_locomotion.nodes.teleop import LABELS, press

HELD = 0.4  # [s] that a held button counts after its last sign
HOLD_RATE = 20.0  # [Hz] of those signs
HISTORY = 200  # samples that the curves show
STEP = 0.05
# Button, and the parts of the command it asks for while it is held, as shares of the range.
DIRECTIONS: Dict[str, Tuple[float, float, float]] = {
    '▲ forward': (0.6, 0.0, 0.0), '▼ back': (-0.6, 0.0, 0.0),
    '◀ left': (0.0, 0.7, 0.0), '▶ right': (0.0, -0.7, 0.0),
    '↺ turn left': (0.0, 0.0, 0.8), '↻ turn right': (0.0, 0.0, -0.8)}
# viser moves its camera by W A S D and the arrows; these are free. The keys of teleop that they
# stand for.
KEYS = {'I': 'w', 'K': 's', 'J': 'a', 'L': 'd', 'U': 'q', 'O': 'e', 'space': ' '}
REQUESTS = {'Stand': 'locomotion/stand', 'Walk': 'locomotion/walk', 'Damp': 'locomotion/damp',
            'Reset': 'locomotion/reset', 'Push': 'sim/push'}


class Panel:
    """The controls in a browser. Its callbacks run in viser's threads: they only set numbers.

    Args:
        server: viser's server.
        limits: Of the velocity commands.
        call: Called with the name of a service whose button was pressed.
        set_friction: Called with the friction that was chosen.
    """

    def __init__(self, server: Any, limits: CommandLimits, call: Callable[[str], None],
                 set_friction: Callable[[float], None]):
        self._limits, self._server = limits, server
        self._held, self._held_until = np.zeros(3), 0.0
        self._curves: Deque[np.ndarray] = deque(maxlen=HISTORY)
        gui = server.gui
        self._text = gui.add_markdown('waiting for the robot')
        gui.add_button('EMERGENCY STOP', color='red').on_click(
            lambda _: self._request(call, emergency_stop.SERVICE))
        requests = gui.add_button_group('Robot', tuple(REQUESTS))
        requests.on_click(lambda event: self._request(call, REQUESTS[event.target.value]))
        with gui.add_folder('Drive'):
            self._add_drive(gui)
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
        server.on_client_disconnect(lambda _: self.stop())

    def _add_drive(self, gui: Any) -> None:
        upper, lower = np.array(self._limits.upper), np.array(self._limits.lower)
        for label, share in DIRECTIONS.items():
            wanted = np.where(np.array(share) > 0.0, share * upper, np.abs(share) * lower)
            button = gui.add_button(label, hint='Walks while it is held')
            button.on_hold(lambda _, wanted=wanted: self._hold(wanted), callback_hz=HOLD_RATE)
        self._sliders = [
            gui.add_slider(label, float(low), float(high), STEP, 0.0)
            for label, low, high in zip(LABELS, lower, upper)]
        gui.add_button('Stop').on_click(lambda _: self.stop())
        for key, meaning in KEYS.items():
            command = gui.add_command(f'drive: {key}', hotkey=key)
            command.on_trigger(lambda _, meaning=meaning: self._press(meaning))

    def _request(self, call: Callable[[str], None], service: str) -> None:
        if service != 'sim/push':
            self.stop()
        call(service)

    def _hold(self, wanted: np.ndarray) -> None:
        self._held, self._held_until = wanted, time.monotonic() + HELD

    def _press(self, key: str) -> None:
        for slider, value in zip(self._sliders, press(self._set_values(), key, self._limits)):
            slider.value = float(value)

    def _set_values(self) -> np.ndarray:
        return np.array([slider.value for slider in self._sliders])

    def stop(self) -> None:
        """Ask for standing, as when a browser goes away."""
        self._held_until = 0.0
        for slider in self._sliders:
            slider.value = 0.0

    def command(self) -> np.ndarray:
        """Return the velocity command that the browser asks for (3,)."""
        if time.monotonic() < self._held_until:
            return self._held
        return np.array(self._limits.clamp(self._set_values()), np.float64)

    def show(self, text: str, seconds: float, commanded: np.ndarray,
             achieved: np.ndarray) -> None:
        """Show a line of text and one more sample of the velocities (3,)."""
        self._text.content = text
        self._curves.append(np.array([seconds, *commanded, *achieved]))
        table = np.array(self._curves)
        for i, plot in enumerate(self._plots):
            plot.data = (table[:, 0] - table[-1, 0], table[:, 1 + i], table[:, 4 + i])
