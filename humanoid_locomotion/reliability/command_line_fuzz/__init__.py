"""Fuzzing of the command line: unusual values for every option of every command."""
