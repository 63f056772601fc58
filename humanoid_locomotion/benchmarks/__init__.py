"""Benchmark commands: throughput of training, physics, and latency of the node."""
