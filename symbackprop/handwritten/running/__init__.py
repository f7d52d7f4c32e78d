"""A stranger's code at work: loaded and called in a process of its own, watched line by line."""
