"""Backend for Isaac Gym Preview 4: thousands of robots in PhysX, on Python 3.8."""
