"""Reads files of unknown origin: bounded, plain data, into frozen dataclasses."""
