"""Sizes and data on which a model is tried: small, different, obeying facts, or exactly at a kink."""
