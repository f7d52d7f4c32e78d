"""What the numbers of an array, or of a named expression, are."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What the numbers of a value are.

    A PYTHON number takes the dtype of the array it meets; REAL is an array of the model's own dtype; DOUBLE
    is float64 whatever the model's dtype, and is cast before it meets a REAL. BOOLEAN is an
    array, or a scalar, of conditions; PYTHON numbers compare to a Python bool, whose `~` is a number.
    """

    PYTHON = "python"
    REAL = "real"
    DOUBLE = "double"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    PYTHON_BOOLEAN = "python boolean"

    @property
    def is_condition(self) -> bool:
        """Whether the values are true or false, and no numbers."""
        return self in (Kind.BOOLEAN, Kind.PYTHON_BOOLEAN)
