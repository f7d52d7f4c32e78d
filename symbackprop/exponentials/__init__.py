"""Expressions as exp(exponent)*value, behind names too, and what sigmoids leave of 1."""
