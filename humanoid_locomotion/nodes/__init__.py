"""ROS 2: the locomotion node, the sim node, and what lies between messages and the core."""
