"""The faults of hand-written gradients, planted on purpose to try the judges."""
