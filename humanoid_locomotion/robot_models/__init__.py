"""Reads and writes robot model files: MJCF, URDF, and drafts of robot folders."""
