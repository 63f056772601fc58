"""Benchmarks: throughput of training and physics, and latency of the locomotion node."""
