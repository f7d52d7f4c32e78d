"""Of which equations others have the like: a first layer's, which passes nothing on."""

from __future__ import annotations

from symbackprop.derivation.parts.readers import Readers
from symbackprop.language.model import parse_system

TEXT = """
index i : I
param a[i], b[i], c[i], d[i]
p2[i] = a[i]*b[i]
q2[i] = exp(p2[i])
r2[i] = p2[i] + c[i]
p1[i] = c[i]*d[i]
q1[i] = exp(p1[i])
p0[i] = b[i]*d[i]
q0[i] = tanh(p0[i])
loss E = sum(i, q2[i] + r2[i] + q1[i] + q0[i])
"""


def test_one_of_many_has_a_like_whose_readers_are_of_its_readers_shape_and_more():
    equations = {equation.tensor: equation for equation in parse_system(TEXT).equations}
    readers = Readers(equations)
    for equation in equations.values():
        readers.note(equation)
    assert set(readers.of("p2")) == {"q2", "r2"}
    found = {name for name, equation in equations.items() if readers.is_one_of_many(equation)}
    assert found == {"p1"}  # not p0, which another function reads
    readers.forget(equations["r2"])
    assert not readers.is_one_of_many(equations["p1"])
