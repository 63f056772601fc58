"""ROS 2 nodes, and the conversions between ROS messages and the core."""
