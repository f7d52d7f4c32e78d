"""Random models around one function, which is any that has a record: nested, summed, in a where, repeated."""

from __future__ import annotations

from random import Random

from symbackprop.functions.record import Domain, ElementwiseFunction
from symbackprop.functions.table import FUNCTIONS

INTO_DOMAIN = {
    Domain.REALS: "{}",
    Domain.POSITIVE: "1/4 + ({})^2",
    Domain.ABOVE_MINUS_ONE: "({})^2 - 1/2",
    Domain.UNIT_INTERVAL: "sin({})/2",
    Domain.BETWEEN_POLES: "sin({})",
}
ARGUMENTS = (
    "v[i]*x[b,i] + 1/3",
    "x[b,i] - v[i]^2",
    "sum(j, W[i,j]*x[b,j]) + v[i]",
    "where(i < 2, x[b,i]*v[i], v[0] - x[b,i])",
)
CONTEXTS = (
    "{f}",
    "v[i]*{f} - x[b,i]",
    "{f}/(2 + {g}^2)",
    "where(x[b,i] < v[i], {f}, {g}*v[i])",
    "{f}*{g} + {f}",
    "{f} + mean(j, {h})",
)
HEAD = """
index b : B
index i, j : I
input x[b,i]
param W[i,j], v[i]
"""


def model_text(function: str, seed: int) -> str:
    """A model with the function in it; the same for the same seed."""
    random = Random(f"{function} {seed}")
    total = [each for each in FUNCTIONS.values() if each.domain is Domain.REALS and each.arity == 1]
    bounded = [each.name for each in total if each.kink is None and not (each.is_step or each.stands_still)]

    def applied(record: ElementwiseFunction, inside: str) -> str:
        first = INTO_DOMAIN[record.domain].format(inside)
        return f"{record.spelling or record.name}({', '.join((first, 'v[i]')[: record.arity])})"

    def argument() -> str:
        inside = random.choice(ARGUMENTS)
        return f"{random.choice(bounded)}({inside})" if random.random() < 0.3 else inside

    record = FUNCTIONS[function]
    inner = argument()
    parts = {
        "f": applied(record, inner),
        "g": applied(record, argument() if random.random() < 0.5 else inner),
        "h": applied(record, "v[i]*x[b,j]"),
    }
    lines = [f"y[b,i] = {random.choice(CONTEXTS).format(**parts)}"]
    if random.random() < 0.5:
        lines.append(f"z[b,i] = tanh(y[b,i])*{applied(record, 'x[b,i]*y[b,i]/4')}")
    last = lines[-1][0]
    return f"{HEAD}{chr(10).join(lines)}\nloss E = sum(b, i, {last}[b,i]/(1 + {last}[b,i]^2))\n"
