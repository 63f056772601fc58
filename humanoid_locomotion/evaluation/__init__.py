"""Evaluation of policies: a fixed protocol of simulated trials, and its scorecard."""
