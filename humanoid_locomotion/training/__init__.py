"""Trains walking policies: a vectorised environment, PPO, and the export of policy folders."""
