# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The viewer's panel, on a browser interface that only remembers what was added."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.nodes.operator.viewer_panel import Panel


class Control:
    """A slider or a button: keeps what it was made of and its callback."""

    def __init__(self, *made):
        self.made = made

    def on_update(self, callback):
        self.callback = callback

    on_click = on_update

    def move(self, value):
        """Move it as a hand does."""
        self.callback(SimpleNamespace(target=SimpleNamespace(value=value)))


class Gui:
    """Remembers the sliders by their label."""

    def __init__(self):
        self.sliders = {}

    def add_slider(self, label, *made):
        self.sliders[label] = Control(*made)
        return self.sliders[label]

    def add_folder(self, _):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def add_markdown(self, _):
        return SimpleNamespace(content='')

    def add_button_group(self, *made):
        return Control(*made)

    def add_uplot(self, *_, **__):
        return SimpleNamespace(data=())


def test_a_further_axis_gets_a_slider_from_its_range_at_rest():
    commands = CommandSpec.of(
        lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8),
        base_height=(0.6, 0.9, 0.85))
    gui, said = Gui(), []
    panel = Panel(SimpleNamespace(gui=gui), print, print)
    panel.add_axes(commands.set_points, lambda name, value: said.append((name, value)))
    slider = gui.sliders['base height [m]']
    assert slider.made == (0.6, 0.9, pytest.approx(0.003), 0.85)
    slider.move(0.7)
    assert said == [('base_height', 0.7)]
    panel.add_axes(commands.velocity.set_points, print)
    assert set(gui.sliders) == {'friction', 'base height [m]'}
