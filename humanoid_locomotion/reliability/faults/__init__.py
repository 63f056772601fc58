"""The fault matrix: faults injected in the loop, over DDS and at the viewer."""
