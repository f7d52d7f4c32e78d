"""One folder a target: all that is known of it."""
