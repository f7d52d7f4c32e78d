"""The last phase of a derivation: sums, branches and comparisons as a person writes them."""
