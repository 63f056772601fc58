"""Reads files of unknown origin within size limits, as plain data, into frozen dataclasses."""
