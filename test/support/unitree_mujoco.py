"""Starts Unitree's simulator in Python, unchanged, without a window: FOLDER ROBOT SCENE DOMAIN.

Its configuration module, MuJoCo's viewer and pygame, of which it needs nothing without a window
and a joystick, are replaced. It prints the base's position and the upright part of its z axis ten
times a second. With OCTETS=1 it announces its types as Cyclone DDS 0.10.2, which Unitree pins.
"""

import json
import os
import runpy
import sys
import time
import types


class Viewer:
    """A window that is not there."""

    def __init__(self, model, data, **_):
        self.data = data

    def is_running(self):
        return os.getppid() != 1  # whoever started this process is still there

    def sync(self):
        _, x, y, _ = self.data.qpos[3:7]
        print(json.dumps({'time': time.monotonic(), 'position': list(self.data.qpos[:3]),
                          'upright': 1.0 - 2.0 * (x * x + y * y)}), flush=True)


def main():
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
    viewer.launch_passive = Viewer
    mujoco.viewer = viewer
    sys.modules.update({'config': config, 'mujoco.viewer': viewer})
    sys.modules.setdefault('pygame', types.ModuleType('pygame'))
    if os.environ.get('OCTETS') == '1':
        from cyclonedds.idl import _xt_builder
        _xt_builder.xt.TK_UINT8 = _xt_builder.xt.TK_BYTE
    runpy.run_path('unitree_mujoco.py', run_name='__main__')


if __name__ == '__main__':
    main()
