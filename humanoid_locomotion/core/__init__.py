"""All that is needed to run a policy on a robot: no ROS, no simulator, no torch."""
