"""A training run: its folder, checkpoints, options and processes."""
