"""A derivation with few of a deep network's equal blocks, unfolded to all of them by their names."""
