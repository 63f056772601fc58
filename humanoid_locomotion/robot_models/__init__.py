"""Reads and writes robot files: MJCF, URDF, and drafts of a robot's folder."""
