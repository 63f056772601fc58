"""Measures how well a policy walks: one fixed protocol in, one scorecard out."""
