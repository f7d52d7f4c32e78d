"""Text to syntax: sources, the grammar and its words, the nodes it reads, and what is said where it stops."""
