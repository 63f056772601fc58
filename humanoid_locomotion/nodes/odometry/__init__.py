"""The odometry node: the base's pose and velocity."""
