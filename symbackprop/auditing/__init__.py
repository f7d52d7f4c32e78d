"""Hand-written gradients and claimed formulas before their judges: where they first go wrong, and how."""
