"""The odometry node: publishes pose and velocity of the base from leg odometry and IMU."""
