"""Expressions as LaTeX: boxes that can be broken over lines, symbols for names, rules as mathematics."""
