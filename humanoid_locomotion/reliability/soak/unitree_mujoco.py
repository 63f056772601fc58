# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts Unitree's simulator in Python, unchanged, without a window: FOLDER ROBOT SCENE DOMAIN.

Its configuration module, MuJoCo's viewer and pygame, of which it needs nothing without a window
and a joystick, are replaced. The robot hangs on its elastic band until the line ``lower`` on
standard input; ``push FORWARD LEFT`` adds a velocity [m/s] to its base. Ten times a second it
prints the base's position, tilt [rad] and yaw [rad] as JSON.
With OCTETS=1 it announces its types as Cyclone DDS 0.10.2, which Unitree pins.
"""

import json
import math
import os
import runpy
import sys
import threading
import time
import types

LOWERING, LENGTH = 2.4, 2.4  # [s], [m] by which the band is lengthened


class Viewer:
    """A window that is not there."""

    def __init__(self, model, data, key_callback=None):
        self._data, self._band = data, getattr(key_callback, '__self__', None)
        self._pushes = []
        threading.Thread(target=self._listen, daemon=True).start()

    def is_running(self):
        """Return whether the process that started this one is still there."""
        return os.getppid() != 1

    def sync(self):
        """Print the state of the base, and push it; called while the physics waits."""
        w, x, y, z = self._data.qpos[3:7]
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        while self._pushes:
            forward, left = self._pushes.pop()
            self._data.qvel[0] += math.cos(yaw) * forward - math.sin(yaw) * left
            self._data.qvel[1] += math.sin(yaw) * forward + math.cos(yaw) * left
        print(json.dumps({
            'time': time.monotonic(), 'position': list(self._data.qpos[:3]),
            'tilt': math.acos(max(-1.0, min(1.0, 1.0 - 2.0 * (x * x + y * y)))),
            'yaw': yaw}), flush=True)

    def _listen(self):
        for line in sys.stdin:
            name, *values = line.split()
            if name == 'push':
                self._pushes.append([float(value) for value in values])
            elif name == 'lower' and self._band is not None and self._band.enable:
                for _ in range(24):
                    self._band.length += LENGTH / 24
                    time.sleep(LOWERING / 24)
                self._band.enable = False
                self._data.xfrc_applied[:] = 0.0  # otherwise its last force remains


def main():
    """Start it."""
    folder, robot, scene, domain = sys.argv[1:]
    os.chdir(os.path.join(folder, 'simulate_python'))
    sys.path.insert(0, os.getcwd())
    config = types.ModuleType('config')
    config.__dict__.update(
        ROBOT=robot, ROBOT_SCENE=f'../unitree_robots/{robot}/{scene}', DOMAIN_ID=int(domain),
        INTERFACE='lo', USE_JOYSTICK=0, PRINT_SCENE_INFORMATION=False, ENABLE_ELASTIC_BAND=True,
        SIMULATE_DT=0.005, VIEWER_DT=0.1)
    import mujoco
    viewer = types.ModuleType('mujoco.viewer')
    viewer.__dict__['launch_passive'] = Viewer
    mujoco.viewer = viewer
    sys.modules.update({'config': config, 'mujoco.viewer': viewer})
    sys.modules.setdefault('pygame', types.ModuleType('pygame'))
    if os.environ.get('OCTETS') == '1':
        from cyclonedds.idl import _xt_builder
        _xt_builder.xt.TK_UINT8 = _xt_builder.xt.TK_BYTE
    runpy.run_path('unitree_mujoco.py', run_name='__main__')
    # Since Python 3.12 no thread can start once the main thread has ended; its threads start more.
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()


if __name__ == '__main__':
    main()
