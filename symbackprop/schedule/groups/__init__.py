"""Reductions over the places at which a lookup agrees with another."""
