"""What may have gone wrong in a statement, as changes that would mend it: each a small function."""
