"""Text in the model language to a system of equations, and what is said where it is none."""
