"""What happens when something goes wrong: faults, fuzzing, soaks and latency, measured."""
