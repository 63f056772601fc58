"""Walking policies for humanoid robots: trained in simulation, run from ROS 2 velocity commands.

The rooms, and which may import which, are listed in ``test/test_layers.py`` and drawn in
``docs/design.md``.
"""

__version__ = '0.1.0'
