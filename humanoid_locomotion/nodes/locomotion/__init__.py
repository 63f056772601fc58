"""The locomotion node: computes joint targets from velocity commands and sensor messages."""
