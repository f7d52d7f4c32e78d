"""Passes over a program: the same numbers by lines that run faster."""
