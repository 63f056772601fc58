"""Long-running soak tests: random commands and messages, lifecycle cycles, false alarms."""
