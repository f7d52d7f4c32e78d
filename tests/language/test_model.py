"""What a text states: axes, roles, the order of equations, functions, facts, the loss, and its values."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Constant,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import system_text, text
from symbackprop.systems.system import Role, System
from tests.processes import run_within

EXAMPLES = Path(__file__).parents[2] / "examples"
DECLARATIONS = (
    "index b : B\nindex i, j : I\nindex k : K\nparam a, c, v[i], w[i], A[i,j], W[k,i]\ninput x[b,i]\n"
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def right(formula: str, left: str = "y") -> Expression:
    return parse_system(f"{DECLARATIONS}{left} = {formula}").equations[0].expression


def seed_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"x": (2, 3), "d": (2, 5), "W1": (4, 3), "b1": (4,), "W2": (5, 4), "b2": (5,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def test_the_seed_is_the_system_it_states() -> None:
    system = parse_system((EXAMPLES / "seed.model").read_text(), "seed")
    assert [axis.name for axis in system.axes] == ["B", "I", "J", "K"]
    assert [axis.label for axis in system.axes] == ["b", "i", "j", "k"]
    assert {name: tensor.role for name, tensor in system.tensors.items()} == {
        "x": Role.INPUT, "d": Role.TARGET, "W1": Role.PARAMETER, "b1": Role.PARAMETER, "W2": Role.PARAMETER,
        "b2": Role.PARAMETER, "u1": Role.DERIVED, "z1": Role.DERIVED, "u2": Role.DERIVED, "y": Role.DERIVED,
        "E": Role.DERIVED,
    }  # fmt: skip
    assert text(system.tensors["W1"].element) == "W1[j,i]"
    assert system.loss == "E"
    assert [text(equation.element) for equation in system.equations] == [
        "u1[b,j]",
        "z1[b,j]",
        "u2[b,k]",
        "y[b,k]",
        "E",
    ]
    place = system.definitions["u2"].place
    assert place is not None and (place.line, place.column, place.length) == (12, 1, 2)
    assert system.source.startswith("# the seed")


def test_the_seed_computes_what_numpy_computes(rng: np.random.Generator) -> None:
    arrays = seed_arrays(rng)
    found = evaluate(parse_system((EXAMPLES / "seed.model").read_text()), arrays)
    z1 = 1 / (1 + np.exp(-(arrays["x"] @ arrays["W1"].T + arrays["b1"])))
    y = z1 @ arrays["W2"].T + arrays["b2"]
    np.testing.assert_allclose(found["y"], y, rtol=1e-12)
    np.testing.assert_allclose(found["E"], ((y - arrays["d"]) ** 2).sum() / 2, rtol=1e-12)


def test_the_single_seed_is_the_seed_for_one_sample(rng: np.random.Generator) -> None:
    arrays = seed_arrays(rng)
    whole = evaluate(parse_system((EXAMPLES / "seed.model").read_text()), arrays)
    single = parse_system((EXAMPLES / "seed_single.model").read_text())
    losses = [
        evaluate(single, {**arrays, "x": arrays["x"][sample], "d": arrays["d"][sample]})["E"]
        for sample in (0, 1)
    ]
    np.testing.assert_allclose(sum(losses), whole["E"], rtol=1e-12)


def test_numbers_are_exact() -> None:
    assert right("1/2") == Number(Fraction(1, 2))
    assert right("0.1") == Number(Fraction(1, 10))
    assert right("1e-5") == Number(Fraction(1, 100_000))
    assert right("2.50E+1") == Number(25)
    assert right(".5") == right("5e-1") == Number(Fraction(1, 2))
    assert right("-3") == Number(-3)


def test_powers_bind_as_in_python() -> None:
    a, c = Element("a"), Element("c")
    assert right("-a^2") == Multiply((Number(-1), Power(a, Number(2))))
    assert right("a**c^2") == Power(a, Power(c, Number(2)))
    assert right("a^-c") == Power(a, Multiply((Number(-1), c)))
    assert right("a/c") == Multiply((a, Power(c, Number(-1))))
    assert right("a - c*2 + 1") == Add((a, Multiply((Number(-1), c, Number(2))), Number(1)))
    assert right("sqrt(a)") == right("a^(1/2)") == Power(a, Number(Fraction(1, 2)))


def test_indices_sizes_and_constants_as_values() -> None:
    axis = Axis("I", "i")
    i, j = Index("i", axis), Index("j", axis)
    assert right("i", "y[i]") == i
    assert right("size(j)") == right("size(I)") == Size(axis)
    assert right("pi") == Constant("pi")
    assert right("A[i,i]", "y[i]") == Element("A", (i, i))
    assert right("mean(j, v[j])") == Multiply(
        (Power(Size(axis), Number(-1)), Reduction("sum", (j,), Element("v", (j,))))
    )


def test_max_is_a_reduction_where_its_first_argument_names_an_index() -> None:
    i = Index("i", Axis("I", "i"))
    assert right("max(i, v[i])") == Reduction("max", (i,), Element("v", (i,)))
    assert right("max(a, c)") == Apply("max", (Element("a"), Element("c")))
    assert right("min(v[i], i)", "y[i]") == Apply("min", (Element("v", (i,)), i))
    # A parameter that stands for an index is a value: the `where` that max is, not max(i, 2).
    choice = (
        parse_system("index i : I\nfunc atleast(u) = max(u, 2)\ny[i] = atleast(i)").equations[0].expression
    )
    assert isinstance(choice, Where) and choice.chosen == i
    shadowed = parse_system("index i : I\nparam a\nfunc h(i) = max(i, 2)\ny = h(a)").equations[0].expression
    assert shadowed == Apply("max", (Element("a"), Number(2)))


def test_an_inner_reduction_may_reuse_an_outer_index(rng: np.random.Generator) -> None:
    v = rng.standard_normal(3)
    found = evaluate(
        parse_system(
            "index i : I\nparam v[i]\ny = sum(i, v[i]*sum(i, v[i]))\nz[i] = v[i]*sum(i, v[i])\ns = sum(i, 2)"
        ),
        {"v": v},
    )
    np.testing.assert_allclose(found["y"], v.sum() ** 2)
    np.testing.assert_allclose(found["z"], v * v.sum())
    assert found["s"] == 6


def test_chained_and_joined_conditions(rng: np.random.Generator) -> None:
    system = parse_system(
        "index t, s : T\nparam v[s]\n"
        "m[t] = sum(s, where(s <= t, v[s], 0))\n"
        "n[t] = where(0 < t < 3 and not t == 2 or t >= 4, 1, 0)"
    )
    v = rng.standard_normal(6)
    found = evaluate(system, {"v": v})
    np.testing.assert_allclose(found["m"], np.cumsum(v))
    assert found["n"].tolist() == [0, 1, 0, 0, 1, 1]


def test_equations_are_put_in_reading_order() -> None:
    system = parse_system("param a\nloss E = z\nz = y*2\ny = a")
    assert [equation.tensor for equation in system.equations] == ["y", "z", "E"]
    assert list(system.tensors) == ["a", "E", "z", "y"]


def test_declarations_may_come_last_and_axes_on_several_lines() -> None:
    system = parse_system(
        "y[t] = sum(s, v[s]) + v[t]\nparam v[s]\nindex t : T\nindex s : T = 8\nindex r : T = 8"
    )
    assert system.axes == (Axis("T", "t", 8),)
    assert system.tensors["v"].indices == (Index("s", Axis("T", "t", 8)),)


def test_a_long_equation_continues_inside_brackets() -> None:
    assert right("(a\n   + c  # the second\n   \n  + v[\ni])", "y[i]") == right("a + c + v[i]", "y[i]")


def test_names_that_python_or_sympy_keep_are_fine() -> None:
    for name in ("lambda", "E", "I", "N", "S", "np", "yield", "None", "zeta", "beta", "e", "import"):
        system = parse_system(f"param {name}\nz = {name}^2")
        assert system.equations[0].expression == Power(Element(name), Number(2))


def test_a_loss_may_be_marked_later() -> None:
    assert parse_system("param a\nE = a\nF = 2*E\nloss E").loss == "E"
    assert parse_system("param a\nE = a").loss is None


def test_facts_are_kept() -> None:
    system = parse_system(
        "index b : B\nindex i, j : I\ntarget d[b,i]\nconst P[i,j]\ny = 1\n"
        "fact sum(i, d[b,i]) == 1\nfact P[i,j] == P[j,i]"
    )
    assert [f"{text(fact.left)} == {text(fact.right)}" for fact in system.facts] == [
        "sum(i, d[b,i]) == 1", "P[i,j] == P[j,i]"
    ]  # fmt: skip


def test_functions_expand_to_their_bodies() -> None:
    own = "func swish(u) = u*sigmoid(c*u)\nfunc twice(u, t) = swish(u) + swish(t)\n"
    system = parse_system(f"{DECLARATIONS}{own}y[i] = twice(v[i], 2*a)")
    assert text(system.equations[0].expression) == "v[i]*sigmoid(c*v[i]) + 2*a*sigmoid(c*(2*a))"
    assert "swish" not in system.tensors


def test_a_function_captures_no_index_of_its_argument(rng: np.random.Generator) -> None:
    shifted = "func shifted(u) = u - sum(i, w[i]*u)\n"
    system = parse_system(f"{DECLARATIONS}{shifted}y[i] = shifted(v[i])\nz = sum(i, shifted(v[i])*v[i])")
    body = system.definitions["y"].expression
    by_hand = parse_system(f"{DECLARATIONS}y[i] = v[i] - sum(j, w[j]*v[i])").equations[0].expression
    assert canonical_bound_names(body) == canonical_bound_names(by_hand)
    v, w = rng.standard_normal(3), rng.standard_normal(3)
    found = evaluate(system, {"v": v, "w": w}, only=["y", "z"])
    np.testing.assert_allclose(found["y"], v - w.sum() * v)
    np.testing.assert_allclose(found["z"], ((v - w.sum() * v) * v).sum())


def test_a_parameter_hides_what_has_its_name() -> None:
    system = parse_system(f"{DECLARATIONS}func square(a) = a*a\ny = square(c)")
    assert text(system.equations[0].expression) == "c*c"


@pytest.mark.parametrize(("formula", "same"), [
    ("mean(b, i, x[b,i])", "sum(b, i, x[b,i])/size(b)/size(i)"),
    ("sum(i, j, delta(i,j)*A[i,j])", "sum(i, A[i,i])"),
    ("delta(1,0)*a + delta(2,1+1)*c + delta(2-3,-1)", "c + 1"),
    ("abs(a - 2) + sign(c)", "where(a >= 2, a - 2, 2 - a) + where(c > 0, 1, where(c < 0, -1, 0))"),
    ("max(a, c) + min(a, c)", "a + c"),
    ("prod(i, exp(v[i]))", "exp(sum(i, v[i]))"),
    ("max(i, v[i])", "-min(i, -v[i])"),
    ("a/(c*2)/3*c^2^1", "a*c/6"),
])  # fmt: skip
def test_formulas_that_say_the_same(formula: str, same: str, rng: np.random.Generator) -> None:
    system = parse_system(f"{DECLARATIONS}y = {formula}\nz = {same}")
    shapes: dict[str, tuple[int, ...]] = {
        "a": (),
        "c": (),
        "v": (3,),
        "w": (3,),
        "A": (3, 3),
        "x": (2, 3),
        "W": (4, 3),
    }
    found = evaluate(system, {name: rng.standard_normal(shape) for name, shape in shapes.items()})
    np.testing.assert_allclose(found["y"], found["z"], rtol=1e-12)


def test_a_sum_of_two_thousand_terms() -> None:
    expression = right(" + ".join(["a*c"] * 2000))
    assert isinstance(expression, Add) and len(expression.terms) == 2000


def test_an_expression_over_the_names_of_a_system() -> None:
    system: System = parse_system((EXAMPLES / "seed.model").read_text())
    delta = parse_expression("(y[b,k] - d[b,k])*z1[b,j]", system)
    assert {index.name for index in delta.free_indices} == {"b", "k", "j"}
    assert parse_expression("b == 0 and j < size(j)", system).free_indices


def test_argmax_is_an_integer() -> None:
    """The derivative of a maximum reads where(argmax(i, v[i]) == i, ..., 0), and is a model again."""
    system = parse_system("index i : I\nparam v[i]\ny[i] = where(argmax(i, v[i]) == i, v[i], 0)")
    assert parse_system(system_text(system)).equations == system.equations
    for formula in ("argmax(i, v[i])", "v[argmax(i, v[i])]", "where(argmax(i, v[i]) + 1 == 2, 1, 0)"):
        again = parse_system(f"index i : I\nparam v[i]\ny = {formula}")
        assert text(again.definitions["y"].expression) == formula


def test_reading_loads_the_parser_and_importing_does_not() -> None:
    script = (
        "import sys; import symbackprop.layers.loading\n"
        "assert not {'lark', 'pydantic', 'sympy', 'jinja2'} & set(sys.modules), 'loaded with the package'\n"
        "symbackprop.layers.loading.load_system('examples/seed.model'); assert 'lark' in sys.modules\n"
        "assert not {'pydantic', 'sympy'} & set(sys.modules), 'loaded with a model'"
    )
    run_within(60, [sys.executable, "-c", script], check=True, cwd=EXAMPLES.parent)


VALUE_GUARDS = "index t : T = 3\nindex k : K\ninput n[k] in T\nparam x[t], p\n"


@pytest.mark.parametrize(
    "formula",
    [
        "y = where(p > 0, x[4], 0)",
        "y[t] = where(x[t] > p and t >= 1, x[t+1], 0)",
        "y[t] = where(not p > 0, x[t], x[t-1])",
    ],
)
def test_a_condition_on_real_numbers_keeps_no_position_inside(formula: str) -> None:
    with pytest.raises(NotationError, match=r"lies outside axis T"):
        parse_system(VALUE_GUARDS + formula)


@pytest.mark.parametrize(
    "formula",
    [
        "y[k] = where(n[k] + 1 < size(t), x[n[k]+1], 0)",
        "y[t] = where(p > 0 and t >= 1, x[t-1], 0)",
        "y[k] = where(n[k] > 0, x[n[k]-1], 0)",
        "y[t] = where(p > 0, pad(x[t+1]), 0)",
        "y[k] = where(p > 0, x[n[k]], x[2])",
    ],
)
def test_a_condition_on_integers_does(formula: str) -> None:
    assert parse_system(VALUE_GUARDS + formula).equations


def test_a_module_refuses_sizes_for_which_values_alone_guard_a_position() -> None:
    model = sb.loads("index t : T\nparam x[t], p\nloss E = where(p > 0, x[2]^2, p)")
    module = model.derive().module()
    loss, gradients = module.value_and_grad({"x": np.ones(3), "p": 1.0})
    assert loss == 1.0
    assert gradients["x"][2] == 2.0
    with pytest.raises(ValueError, match=r"x\[2\]: 2 reads position 2, but T=2"):
        module.value_and_grad({"x": np.ones(2), "p": -1.0})
