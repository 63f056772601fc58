"""A policy as it is shipped: its folder, how it is opened, checked, written and run."""
