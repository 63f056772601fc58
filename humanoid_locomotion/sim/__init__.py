"""Simulators behind one interface, :class:`~humanoid_locomotion.sim.backend.SimBackend`."""
