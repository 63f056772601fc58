"""PPO: networks, rollout buffer, update, CUDA graphs and several GPUs."""
