"""The locomotion node: from velocity commands and joint states to joint targets."""
