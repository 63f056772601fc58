"""Odd values for every option of every command."""
