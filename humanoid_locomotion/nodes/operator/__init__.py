"""Operator devices: web viewer, keyboard teleoperation, emergency stop."""
