"""rclpy helpers shared by several nodes: messages, parameters, executor, QoS."""
