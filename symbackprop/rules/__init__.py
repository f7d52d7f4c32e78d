"""The rules: Kronecker deltas, sums, conditions, recurrences, inverses, and the facts of a model."""
