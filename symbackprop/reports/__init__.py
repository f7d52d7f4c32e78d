"""Explanations and derivations as reports: what a person asks for, in the format of their choice."""
