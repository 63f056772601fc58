"""Monitoring of a training run: metrics, progress, viewer, scorecard."""
