"""Programs as NumPy modules."""
