"""Feedback around the network, and what it is computed from: leg kinematics and odometry."""
