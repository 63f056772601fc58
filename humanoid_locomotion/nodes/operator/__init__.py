"""A person's devices: web viewer, keyboard, emergency stop."""
