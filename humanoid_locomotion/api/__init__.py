"""Implementation of the public Python interface, see ``docs/api.md``."""
