"""Browser viewer: the scene, its web server, and its access control."""
