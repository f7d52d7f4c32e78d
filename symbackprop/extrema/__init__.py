"""Equations whose extrema are looked up at their places: sparse sums, nearest rows."""
