"""One policy beside others, beside its other seeds, and in other simulators and settings."""
