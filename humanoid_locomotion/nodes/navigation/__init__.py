"""The planner node: converts goals and named places to velocity commands."""
