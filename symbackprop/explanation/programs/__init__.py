"""The program that is explained: its lines, what reads what, and how many operations they take."""
