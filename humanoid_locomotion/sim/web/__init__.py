"""The view in a browser: the scene, its server, and who may use it."""
