"""Layers and losses as formulas, and networks of them in TOML and Python."""
