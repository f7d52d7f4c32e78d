"""Formulas for the same values that neither overflow nor lose digits, found in any expression."""
