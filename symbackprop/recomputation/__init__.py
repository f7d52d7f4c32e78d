"""What a backward pass keeps of the forward pass, and what it computes once more from that."""
