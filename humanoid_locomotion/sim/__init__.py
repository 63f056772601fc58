"""Simulators behind one port; each simulator's joint and quaternion order ends in its own file."""
