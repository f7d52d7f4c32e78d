"""What a gradient's code computes, what it keeps and uses again, and what it costs."""
