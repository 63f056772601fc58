"""Backend for MuJoCo: one or many robots on the CPU."""
