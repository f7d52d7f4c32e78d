"""What a link of a chain says: the laws that are used, definitions behind facts, names of bound indices."""

import pytest

from symbackprop import loads
from symbackprop.lesson.document import Chain
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.text import document_text
from symbackprop.notation.expressions import (
    Axis,
    Element,
    Index,
    Multiply,
    Reduction,
)
from symbackprop.notation.substitution import bound_names_apart, canonical_bound_names

F, G = Element("f"), Element("g")
FIRST, K = Index("i", Axis("I", "i")), Index("k", Axis("I", "i"))
PRIMED = Index("i'", FIRST.axis)

# Logits that are shared out over one axis, with a distance from the mean of the shares.
SHARED = """
index n : N
index k : K
param a[n,k], w[n,k]
q[n,k] = exp(a[n,k])/sum(k, exp(a[n,k]))
loss E = sum(n, k, w[n,k]*q[n,k]^2)
"""
SPREAD = """
index i : I
param x[i]
m = mean(i, x[i])
r = sum(i, (x[i] - m)^2)
loss E = r^3
"""


def document(model):
    return derivation_document(loads(model).derive().derivation)


def said(model):
    return " ".join(document_text(document(model)).split())


def test_a_fact_that_the_model_does_not_state_is_said_to_follow():
    assert "fact: sum(i, x[i] - m) == 0, by the definition of m" in said(SPREAD)
    stated = SPREAD.replace("r = ", "fact sum(i, x[i] - m) == 0\nr = ")
    assert "sum(i, x[i] - m) == 0, by the definition" not in said(stated)


def test_what_has_been_found_is_no_definition():
    shown = said("index i : I\nparam x[i]\nz[i] = tanh(x[i])\ny[i] = z[i]^2\nloss E = sum(i, y[i])")
    assert "found above" in shown and "the definition of dE" not in shown


def test_a_condition_that_says_when_a_rule_is_of_use_is_left_out():
    shown = said(SHARED)
    assert "multiply out: (f + g)*h = f*h + g*h" in shown and "has a delta" not in shown


def test_no_bound_index_of_a_chain_goes_by_a_free_name():
    for block in document(SHARED).blocks:
        if isinstance(block, Chain):
            free = {index.name for index in block.left.free_indices}
            for link in block.links:
                bound = [
                    index.name
                    for node in link.expression.walk()
                    if isinstance(node, Reduction)
                    for index in node.indices
                ]
                assert free.isdisjoint(bound), (block.left, link.expression)


def total(index, body):
    return Reduction("sum", (index,), body)


@pytest.mark.parametrize(
    ("expression", "outer", "renamed"),
    [
        (total(FIRST, Element("a", (FIRST,))), frozenset(), FIRST),  # nothing around it
        (total(FIRST, Element("a", (FIRST,))), frozenset((FIRST,)), K),  # another name of the axis
        (total(FIRST, Element("a", (FIRST,))), frozenset((FIRST, K)), PRIMED),
        (total(FIRST, Element("b", (FIRST, PRIMED))), frozenset((FIRST, K)), Index("i''", FIRST.axis)),
    ],
)
def test_a_bound_index_takes_the_first_name_that_is_free(expression, outer, renamed):
    found = bound_names_apart(expression, outer, {FIRST.axis: (FIRST, K)})
    assert found.indices == (renamed,)
    assert canonical_bound_names(found) == canonical_bound_names(expression)


def test_a_sum_within_a_sum_is_named_apart_too():
    within = total(FIRST, Multiply((Element("a", (FIRST,)), total(FIRST, Element("c", (FIRST,))))))
    found = bound_names_apart(within)
    inner = found.body.factors[1]
    assert found.indices == (FIRST,) and inner.indices == (PRIMED,)
