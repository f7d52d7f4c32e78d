"""Expressions of index notation: axes, indices, tensors, and the builders and substitutions on them."""
