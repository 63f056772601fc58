"""Velocity feedback around the network, with the leg kinematics and odometry that it uses."""
