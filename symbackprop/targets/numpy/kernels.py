"""Which NumPy call, or which helper of the generated module, computes each function.

The functions' records say it. A helper is one template, `templates/numpy/kernels/NAME.py.j2`, which defines
the function NAME; those that are no functions of the language stand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from symbackprop.emission.environment import template_folder
from symbackprop.errors import RecordError
from symbackprop.functions.record import NumpyCall, NumpyKernel
from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import worded

# A helper to the helpers that it calls.
Helpers: TypeAlias = Mapping[str, tuple[str, ...]]

# The operation's name in the array language to the call, with a slot {} for each argument.
NUMPY_CALLS: Mapping[str, str] = {
    **{name: record.numpy.text for name, record in FUNCTIONS.items() if isinstance(record.numpy, NumpyCall)},
    "sqrt": "np.sqrt({})",
}

_PARTS_OF_KERNELS: Helpers = {
    "in_blocks": (),
    "polynomial": (),
    "distance_to_integer": (),
    "scaled_tail": ("polynomial",),
    "lgamma_large": ("polynomial",),
    "lgamma_small": ("polynomial",),
    "lgamma_negative": ("distance_to_integer",),
    "digamma_large": ("polynomial",),
    "digamma_small": ("polynomial",),
    "digamma_negative": ("distance_to_integer",),
    "trigamma_large": ("polynomial",),
    "trigamma_small": ("trigamma_large",),
    "trigamma_negative": ("distance_to_integer",),
}
KERNELS: Helpers = {
    name: record.numpy.calls for name, record in FUNCTIONS.items() if isinstance(record.numpy, NumpyKernel)
}
_OF_ARRAYS: Helpers = {
    "scatter_add": (),
    "scatter_extremum": (),
    "scatter_argmax": ("scatter_extremum",),
    "nearest": (),
    "running": (),
    "windows": (),
    "cofactors": (),
    "symmetric": (),
    "cholesky": ("symmetric",),
}


def _called_first(helpers: Helpers, roots: Iterable[str]) -> Helpers:
    """The roots and what they call, directly or not, each helper behind those that it calls."""
    ordered: dict[str, tuple[str, ...]] = {}
    for root in roots:
        if root not in helpers:
            raise RecordError(
                worded("a kernel calls '{root}', which is no helper", root=root),
                remedy=worded("name it, with what it calls, in targets/numpy/kernels.py"),
            )
        ordered |= _called_first(helpers, helpers[root])
        ordered.setdefault(root, helpers[root])
    return ordered


# Every helper, behind those that it calls.
HELPERS: Helpers = _called_first(
    {**_PARTS_OF_KERNELS, **KERNELS, **_OF_ARRAYS},
    ("polynomial", "distance_to_integer", "in_blocks", *KERNELS, *_OF_ARRAYS),
)


def helpers_for(functions: Iterable[str]) -> tuple[str, ...]:
    """The helpers that these functions need, in the table's order; RecordError where one has no template."""
    needed: set[str] = set()
    pending = [name for name in functions if name in HELPERS]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending.extend(HELPERS[name])
    missing = next((name for name in sorted(needed) if not _template(name).is_file()), None)
    if missing is not None:
        raise RecordError(
            worded(
                "the function '{missing}' has no kernel: there is no {template}",
                missing=missing,
                template=_template(missing),
            ),
            remedy=worded(
                "write it, with a function {missing}(), or give the record a NumpyCall", missing=missing
            ),
        )
    return tuple(name for name in HELPERS if name in needed)


def _template(helper: str) -> Path:
    return template_folder() / "numpy" / "kernels" / f"{helper}.py.j2"
