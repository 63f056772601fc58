"""The functions behind the names of ``import humanoid_locomotion``; see ``docs/api.md``."""
