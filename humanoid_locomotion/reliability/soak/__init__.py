"""Long runs: random commands and messages, lifecycle cycles, false alarms."""
