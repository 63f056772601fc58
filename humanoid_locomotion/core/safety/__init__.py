"""The safety rules of a control step: what they see, what they compare, and what follows."""
