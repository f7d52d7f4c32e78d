"""What a text may not exceed: bounds that keep every refusal quick and that no real model meets."""

LONGEST_TEXT = 400_000
"""Characters of a model; fifty dense layers take 8,000, ten thousand terms 300,000."""

LONGEST_NAME = 60
"""Characters of a name."""

LONGEST_SYMBOL = 80
"""Characters of the LaTeX that a model gives a tensor."""

LONGEST_NUMBER = 60
"""Characters of a number as it is written."""

LARGEST_MAGNITUDE = 300
"""Decimal digits before or after the point that the numbers of one expression can multiply up to: float64."""

LARGEST_EXPONENT = 1_000_000
"""Exponents: (1 - p)^5000 is the chance that five thousand trials fail."""

LARGEST_NESTING = 100
"""Brackets within brackets, and the height of an expression's tree: a bound on every recursion behind it."""

LARGEST_EXPANSION = 50_000
"""Nodes that all calls of the model's own functions expand to."""

LARGEST_AXIS = 10**9
"""Values of an axis."""
