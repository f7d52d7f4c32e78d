"""Systems of equations: text, order, recurrences, and where their tensors are defined."""
