# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Isaac Gym's window: V pauses and resumes drawing, ESC ends the program as Ctrl-C does."""

from __future__ import annotations

import signal
from typing import Optional

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.sim.isaacgym.importing import gymapi

QUIT, DRAW = 'quit', 'toggle drawing'


class Window:
    """A window on a simulation; the simulation goes on when it is closed.

    Args:
        gym: Isaac Gym.
        sim: The simulation.
        height: Height at which the camera looks [m].
    """

    def __init__(self, gym: gymapi.Gym, sim: gymapi.Sim, height: float):
        self._gym, self._sim, self._draws = gym, sim, True
        viewer = gym.create_viewer(sim, gymapi.CameraProperties())
        if viewer is None:
            raise SimulationError('Isaac Gym could not open a window; it needs a display '
                                  "and NVIDIA's Vulkan driver")
        self._viewer: Optional[gymapi.Viewer] = viewer
        gym.subscribe_viewer_keyboard_event(viewer, gymapi.KEY_ESCAPE, QUIT)
        gym.subscribe_viewer_keyboard_event(viewer, gymapi.KEY_V, DRAW)
        gym.viewer_camera_look_at(viewer, None, gymapi.Vec3(-3.0, -3.0, 2.0),
                                  gymapi.Vec3(0.0, 0.0, height))

    def draw(self, fetch: bool) -> None:
        """Answer the keys and show the robots, as fast as the simulation runs.

        Args:
            fetch: Whether the results of the last step must still be fetched, as on a GPU.
        """
        gym, viewer = self._gym, self._viewer
        if viewer is None:
            return
        if gym.query_viewer_has_closed(viewer):
            self.close()
            return
        for event in gym.query_viewer_action_events(viewer):
            if event.value > 0.0 and event.action == QUIT:
                signal.raise_signal(signal.SIGINT)
            elif event.value > 0.0 and event.action == DRAW:
                self._draws = not self._draws
        if not self._draws:
            gym.poll_viewer_events(viewer)
            return
        if fetch:
            gym.fetch_results(self._sim, True)
        gym.step_graphics(self._sim)
        gym.draw_viewer(viewer, self._sim, True)

    def close(self) -> None:
        """Close the window."""
        if self._viewer is not None:
            self._gym.destroy_viewer(self._viewer)
        self._viewer = None
