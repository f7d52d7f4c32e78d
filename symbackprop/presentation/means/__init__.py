"""A value beside its mean: found in sums, and kept there."""
