"""Training of walking policies: vectorised environment, PPO and export of policy folders."""
