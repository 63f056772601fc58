"""Reliability tests: fault injection, fuzzing and long-running soak tests."""
