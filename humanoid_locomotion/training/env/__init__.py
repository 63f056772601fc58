"""The environment: observations, rewards, terminations, commands and randomization."""
