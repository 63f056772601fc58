"""Backend for MuJoCo Warp: thousands of robots on an NVIDIA GPU."""
