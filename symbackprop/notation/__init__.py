"""Expressions of index notation: axes, indices, tensors, and builders and substitutions on them."""
