"""Functions that other languages have, and what says the same in this one: no remedy changes the meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symbackprop.languages.phrases import Message, joined, marked, worded

ELEMENTWISE: Mapping[str, str] = {
    "absolute": "abs(u)",
    "acosh": "log(u + sqrt(u^2 - 1))",
    "arccos": "acos(u)",
    "arcsin": "asin(u)",
    "arctan": "atan(u)",
    "asinh": "sign(u)*log(abs(u) + sqrt(u^2 + 1))",
    "atanh": "1/2*log((1 + u)/(1 - u))",
    "cbrt": "sign(u)*abs(u)^(1/3)",
    "cot": "1/tan(u)",
    "coth": "1/tanh(u)",
    "csc": "1/sin(u)",
    "csch": "1/sinh(u)",
    "erfc": "1 - erf(u)",
    "exp2": "2^u",
    "expit": "sigmoid(u)",
    "fabs": "abs(u)",
    "ln": "log(u)",
    "log10": "log(u)/log(10)",
    "log2": "log(u)/log(2)",
    "logistic": "sigmoid(u)",
    "logit": "log(u/(1 - u))",
    "logsigmoid": "log(sigmoid(u))",
    "normpdf": "exp(-u^2/2)/sqrt(2*pi)",
    "reciprocal": "1/u",
    "relu6": "min(max(u, 0), 6)",
    "rint": "round(u)",
    "rsqrt": "1/sqrt(u)",
    "sec": "1/cos(u)",
    "sech": "1/cosh(u)",
    "sgn": "sign(u)",
    "softsign": "u/(1 + abs(u))",
    "square": "u^2",
    "swish": "silu(u)",
    "tg": "tan(u)",
    "trunc": "sign(u)*floor(abs(u))",
}
"""A function of one number u to the formula that gives the same values."""

OTHERS: Mapping[str, str] = {
    "amax": "max(i, x[i])",
    "amin": "min(i, x[i])",
    "average": "mean(i, x[i])",
    "avg": "mean(i, x[i])",
    "clamp": "clip(u, low, high)",
    "dot": "sum(i, x[i]*y[i])",
    "einsum": "sum(j, A[i,j]*B[j,k])",
    "elu": "where(u > 0, u, alpha*(exp(u) - 1))",
    "eye": "delta(i,j)",
    "hypot": "sqrt(u^2 + v^2)",
    "ifelse": "where(condition, u, v)",
    "leaky_relu": "where(u > 0, u, alpha*u)",
    "log_softmax": "log(softmax(k, u[k]))",
    "logsoftmax": "log(softmax(k, u[k]))",
    "matmul": "sum(j, A[i,j]*B[j,k])",
    "maximum": "max(u, v)",
    "minimum": "min(u, v)",
    "pow": "u^p",
    "power": "u^p",
    "prelu": "where(u > 0, u, alpha*u)",
    "product": "prod(i, x[i])",
    "std": "sqrt(var(i, x[i]))",
    "variance": "var(i, x[i])",
}
"""Other functions to what says the same, with names to be put in."""

MOST_MEANT = 3  # names in one remedy

# One letter away from a function of the language, and another function.
STRANGERS = frozenset(("acot", "celu", "erfi", "selu", "sinc"))


def function_remedy(name: str, known: Iterable[str]) -> Message:
    """What to write where a function has no such name."""
    known = sorted(known)
    same = [each for each in known if each.lower() == name.lower()]
    formula = {**ELEMENTWISE, **OTHERS}.get(name.lower())
    if formula and not same:
        return worded("write {formula}", formula=formula)
    meant = same or ([] if name in STRANGERS else [each for each in known if is_one_slip(name, each)])
    if not meant:
        return worded("define it: func {name}(u) = ...", name=name)
    return did_you_mean(*meant[:MOST_MEANT])


def did_you_mean(name: str, *others: str) -> Message:
    """The question whether another name is meant, or one of several."""
    names = [f"'{each}'" for each in (name, *others)]
    return worded("did you mean {names}?", names=joined(marked("{before} or {after}"), names))


def is_one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is missing, too many or another one, or two neighbours are swapped.

    A number in a name is no slip: log2 is not log.
    """
    start = next((n for n, pair in enumerate(zip(typed, meant, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        start = min(len(typed), len(meant))
    rest, other = typed[start:], meant[start:]
    while rest and other and rest[-1] == other[-1]:
        rest, other = rest[:-1], other[:-1]
    if any(letter.isdigit() for letter in rest + other):
        return False
    is_swapped = len(rest) == 2 and rest == other[::-1]
    return is_swapped or (len(rest) <= 1 and len(other) <= 1)
