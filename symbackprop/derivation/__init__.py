"""Calculus, reverse accumulation, inlining, and the driver that brings a gradient to closed form."""
