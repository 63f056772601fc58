"""Unitree's DDS protocol: messages, checksums, motor tables, and a simulated robot that speaks it."""
