"""Positions, counters, windows and ranges of loops, as expressions that need no array."""
