"""Which parts of a model's equations get names, beside the arguments of functions."""
