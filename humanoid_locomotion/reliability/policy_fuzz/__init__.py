"""Policy folders tampered with: what opens that should not, and what that costs."""
