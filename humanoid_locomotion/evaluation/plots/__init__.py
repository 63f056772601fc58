"""Plots, animations and the HTML report of an evaluation."""
