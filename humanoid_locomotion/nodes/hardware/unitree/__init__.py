"""Unitree's DDS protocol, and a simulated robot that speaks it."""
