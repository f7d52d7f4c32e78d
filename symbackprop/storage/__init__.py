"""What an earlier run has found, in a folder of the user's that may be deleted at any time."""
