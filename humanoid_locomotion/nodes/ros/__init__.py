"""Helpers for rclpy that several nodes share: messages, parameters, executor, QoS."""
