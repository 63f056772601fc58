"""Booster robots over their ROS 2 messages; never tried with a robot or a simulator."""
