"""Fuzzing of policy folders: mutated folders must be refused or behave like the original."""
