"""Comparison of policies, of training seeds, and of simulators and their settings."""
