"""Systems of equations: their text, their order, their recurrences, and where their tensors are defined."""
