"""The planner node: from named places to velocity commands."""
