"""Safety rules of the control step: their inputs, limits, comparisons and latched result."""
