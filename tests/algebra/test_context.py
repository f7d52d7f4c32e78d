"""What is known at one equation stays what it is when further equations become known."""

from dataclasses import replace

import pytest

from symbackprop.algebra.context import Scope
from symbackprop.algebra.known_equations import Known
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Element, Expression
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


def names_in(scope: Scope, read: Expression) -> list[str]:
    """The tensors that a scope relates to the expression."""
    relations = scope.relations(read)
    return [each.known.tensor for each in relations if isinstance(each.known, Element)]


def test_a_scope_grows_without_changing_the_one_before() -> None:
    none = Scope.of(replace(SYSTEM, equations=()))
    one = none.with_equations((P,))
    both = one.with_equations((Q,))
    read = parse_expression("exp(w[i]) + 1/w[i]", SYSTEM)
    assert not none.definitions and names_in(none, read) == []
    assert names_in(one, read) == ["p"] and set(one.order) == {"p"}
    assert names_in(both, read) == ["p", "q"]
    assert "q" in both.ranges.undefined and "q" not in one.ranges.undefined


def test_a_sum_of_many_terms_is_related_to_what_has_half_of_them() -> None:
    names = [f"a{number}" for number in range(20)]
    system = parse_system(f"param {', '.join(names)}\nu = {' + '.join(names)}\nloss E = u^2\n")
    scope = Scope.of(system)
    assert names_in(scope, parse_expression(" + ".join(names[:10]), system)) == ["u"]
    assert names_in(scope, parse_expression(" + ".join(names[:9]), system)) == []


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


SHAPES = parse_system(
    """
index t, s : T
index i, j : I
input x[t], y[t]
param w[t], A[i,j], v[j], a
above[t] = exp(-x[t]*w[t])
first = sin(w[0]) + a
scaled[t] = tanh(t*w[t])
product[i] = 2*sum(j, A[i,j]*v[j])
squared[t] = sqrt(x[t]*y[t] + 1)
total = a*sum(s, x[s])
loss E = total
""",
    "shapes",
)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("exp(x[s]*w[s]) + 1", ["above"]),
        ("exp(x[s]*w[t])", []),
        ("cos(x[s]*w[s])", []),
        ("2*sin(w[0])", ["first"]),
        ("sin(w[1])", []),
        ("tanh(s*w[s])^2", ["scaled"]),
        ("tanh(x[s]*w[s])", []),
        ("sum(i, A[j,i]*v[i])/3", ["product"]),
        ("sum(i, A[i,j]*v[i])", []),
        ("sqrt(1 + y[s]*x[s])", ["squared"]),
        ("sqrt(1 + y[0]*x[0])", []),
        ("y[t]*x[t] + 1", []),
    ],
)
def test_a_definition_is_found_by_what_its_patterns_have_in_common_with_an_expression(
    expression: str, names: list[str]
) -> None:
    assert names_in(Scope.of(SHAPES), parse_expression(expression, SHAPES)) == names


def test_of_many_equations_that_read_a_tensor_only_those_that_share_an_atom_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = "".join(f"v{n} = sin(w*x + {n})\n" for n in range(100))
    system = parse_system(f"param w\ninput x\n{many}loss E = v3")
    looked_at: list[str] = []
    instances = Known.instances
    monkeypatch.setattr(
        Known,
        "instances",
        lambda self, atoms, around: looked_at.append(self.equation.tensor) or instances(self, atoms, around),
    )
    assert names_in(Scope.of(system), parse_expression("w*x*sin(w*x + 7)", system)) == ["v7"]
    assert looked_at == ["v7"]


def test_a_sum_looks_at_the_sums_that_may_stand_in_it_alone() -> None:
    many = "".join(f"v{n} = sum(i, w{n}[i]*x[i])\n" for n in range(9))
    weights = ", ".join(f"w{n}[i]" for n in range(9))
    text = f"index i : I\ninput x[i]\nparam {weights}\n{many}u[i] = 2*w3[i]\nloss E = v3"
    system = parse_system(text)
    scope = Scope.of(system)

    def near(expression: str) -> list[str]:
        return [each.tensor for each in scope.sums_near(parse_expression(expression, system))]

    assert near("sum(i, w3[i]*x[i]*v5)") == ["v5", "v3"]
    assert near("sum(i, u[i]*x[i])") == ["v3"]
    assert near("sum(i, x[i])") == []
