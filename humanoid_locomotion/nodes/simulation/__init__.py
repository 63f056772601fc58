"""The sim node: a robot in MuJoCo behind the topics of a real one."""
