"""What a run shows while it trains: metrics, progress, viewer, scorecard."""
