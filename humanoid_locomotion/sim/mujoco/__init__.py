"""MuJoCo: robots on the CPU, one or many."""
