"""Isaac Gym Preview 4: thousands of robots in PhysX, on its own Python 3.8."""
