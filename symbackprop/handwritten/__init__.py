"""A stranger's gradient: read from its file, called in a process of its own, watched line by line."""
