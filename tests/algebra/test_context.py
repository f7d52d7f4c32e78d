"""What is known at one equation stays what it is when further equations become known."""

from dataclasses import replace

from symbackprop.algebra.context import Scope
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.systems.partial import Ranges

SYSTEM = parse_system(
    """
index i : I
param w[i]
p[i] = exp(w[i])
q[i] = 1/w[i]
s[i] = p[i]
loss E = sum(i, p[i]*q[i])
""",
    "scope",
)
P, Q, S, _ = SYSTEM.equations


def test_ranges_that_a_rule_has_seen_do_not_change() -> None:
    before = Ranges.of(SYSTEM)
    after = before.with_equations((replace(Q, expression=P.expression),))
    q = parse_expression("q[i]", SYSTEM)
    assert before.is_undefined(q) and not before.is_positive(q)
    assert after.is_nonnegative(q) and not after.is_undefined(q)


def test_a_scope_grows_without_changing_the_one_before() -> None:
    none = Scope.of(replace(SYSTEM, equations=()))
    one = none.with_equations((P,))
    both = one.with_equations((Q,))
    read = parse_expression("w[i] + p[i]", SYSTEM)
    assert not none.definitions and none.near(read) == ()
    assert one.near(read) == (P,) and set(one.order) == {"p"}
    assert both.near(read) == (P, Q)
    assert "q" in both.ranges.undefined and "q" not in one.ranges.undefined


def test_an_equation_of_the_same_name_is_replaced_in_its_place() -> None:
    scope = Scope.of(SYSTEM)
    again = scope.with_equations((replace(P, expression=Q.expression),))
    assert list(again.order) == list(scope.order)
    assert again.definitions["p"].expression == Q.expression
    assert "p" in again.ranges.undefined and scope.definitions["p"] == P


def test_a_name_for_another_tensor_is_no_definition_to_fold_back_into() -> None:
    scope = Scope.of(SYSTEM)
    assert set(scope.definitions) == {"p", "q", "E"}
    copied = scope.with_equations((replace(Q, expression=S.expression),))
    assert set(copied.definitions) == {"p", "E"} and "q" in scope.definitions


def test_without_a_definition_the_others_stay() -> None:
    scope = Scope.of(SYSTEM)
    assert set(scope.without("p").definitions) == {"q", "E"}
    assert scope.without("w").definitions == scope.definitions and "p" in scope.definitions


def test_nothing_is_said_of_free_tensors() -> None:
    scope = Scope.of(SYSTEM, free=frozenset({"p"}))
    assert "p" in scope.order and "p" not in scope.definitions and "p" not in scope.ranges.nonnegative
