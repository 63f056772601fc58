"""The training environment: observations, rewards, terminations, commands and randomisation."""
