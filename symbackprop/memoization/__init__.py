"""What is worked out once for all layers that are equal up to their names."""
