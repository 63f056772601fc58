"""The sim node: a robot simulated in MuJoCo with the ROS interface of a real one."""
