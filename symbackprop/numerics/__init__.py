"""Numerical differentiation, and when two arrays are the same."""
