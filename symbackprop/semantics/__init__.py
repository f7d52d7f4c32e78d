"""What equations mean: the naive evaluator in any numbers, and a fast one at many points at once."""
