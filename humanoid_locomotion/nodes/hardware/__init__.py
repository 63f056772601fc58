"""Drivers of real robots: a node of ours between the topics and a robot's own protocol."""
