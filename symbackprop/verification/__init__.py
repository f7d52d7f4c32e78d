"""Gradients and modules before their judges."""
