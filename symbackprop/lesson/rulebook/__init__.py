"""The rules, written down: every phase in order, with examples and near-misses."""
