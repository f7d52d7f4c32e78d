"""Equations to equations, for every target: stable forms, solves, hoisting, sharing."""
