"""Fault injection: in the stepped control loop, over DDS, and at the viewer."""
