"""Which NumPy call, or which helper of the generated module, computes each function.

A helper is one template, `templates/numpy/kernels/NAME.py.j2`, which defines the function NAME; adding
one is adding that file and a row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The function's name in the language to the call, with a slot {} for each argument.
NUMPY_CALLS: Mapping[str, str] = {
    "exp": "np.exp({})",
    "log": "np.log({})",
    "log1p": "np.log1p({})",
    "expm1": "np.expm1({})",
    "sqrt": "np.sqrt({})",
    "abs": "np.abs({})",
    "sign": "np.sign({})",
    "sin": "np.sin({})",
    "cos": "np.cos({})",
    "tan": "np.tan({})",
    "asin": "np.arcsin({})",
    "acos": "np.arccos({})",
    "atan": "np.arctan({})",
    "sinh": "np.sinh({})",
    "cosh": "np.cosh({})",
    "tanh": "np.tanh({})",
    "max": "np.maximum({}, {})",
    "min": "np.minimum({}, {})",
    "relu": "np.maximum({}, 0.0)",
    "softplus": "np.logaddexp({}, 0.0)",
}

# A helper to the helpers that it calls.
HELPERS: Mapping[str, tuple[str, ...]] = {
    "polynomial": (),
    "distance_to_integer": (),
    "sigmoid": (),
    "silu": ("sigmoid",),
    "erf_near_zero": ("polynomial",),
    "erfc_middle": ("polynomial",),
    "erfc_far": ("polynomial",),
    "erfc": ("erf_near_zero", "erfc_middle", "erfc_far"),
    "erf": ("erf_near_zero", "erfc"),
    "normcdf": ("erfc",),
    "gelu": ("normcdf",),
    "lgamma_large": ("polynomial",),
    "lgamma_small": ("polynomial",),
    "lgamma_negative": ("distance_to_integer",),
    "lgamma": ("lgamma_large", "lgamma_small", "lgamma_negative"),
    "digamma_large": ("polynomial",),
    "digamma_small": ("polynomial",),
    "digamma_negative": ("distance_to_integer",),
    "digamma": ("digamma_large", "digamma_small", "digamma_negative"),
    "trigamma_large": ("polynomial",),
    "trigamma_small": ("trigamma_large",),
    "trigamma_negative": ("distance_to_integer",),
    "trigamma": ("trigamma_large", "trigamma_small", "trigamma_negative"),
    "scatter_add": (),
    "cofactors": (),
    "symmetric": (),
    "cholesky": ("symmetric",),
}


def helpers_for(functions: Iterable[str]) -> tuple[str, ...]:
    """The helpers that these functions need, in the table's order."""
    needed: set[str] = set()
    pending = [name for name in functions if name in HELPERS]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending.extend(HELPERS[name])
    return tuple(name for name in HELPERS if name in needed)
