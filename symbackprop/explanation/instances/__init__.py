"""One tiny instance of a model: its sizes, its numbers, and elements of it worked out by hand."""
