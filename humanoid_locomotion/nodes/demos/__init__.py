"""The demos `walk` and `navigate`: start nodes, drive the robot and evaluate the result."""
