"""Which positions are views, windows, folds and shorter ranges, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.indexing.counting import Counter
from symbackprop.indexing.padding import with_padded_reads
from symbackprop.indexing.places import affine, at_least_zero, lowest_and_highest, mixed_radix
from symbackprop.indexing.short_ranges import with_short_ranges
from symbackprop.indexing.windows import simplified, stepped, windows_of
from symbackprop.integers.linear import divided, linear_form
from symbackprop.language.model import parse_system
from symbackprop.lowering.folds import folds_of
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Add, Axis, Index, Multiply, Number, Reduction, Size
from symbackprop.notation.substitution import substitute
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.partial import NOTHING_KNOWN
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role
from tests.models.judges import assert_close
from tests.programs import numpy_source

AXES = {"a": "A", "r": "R", "i": "I", "j": "J", "g": "G", "h": "H = 3", "q": "Q"}
HEAD = "".join(f"index {name} : {axis}\n" for name, axis in AXES.items())
HEAD += "input x[i], y[j], w[r], m[g,h], k[g], ids[a] in R\n"


def system(right: str, left: str = "z"):
    return parse_system(f"{HEAD}{left} = {right}\n")


def expression(right: str, left: str = "z"):
    return system(right, left).equations[0].expression


def position(shown: str):
    """An integer expression over a and r, as a position of x."""
    return expression(f"sum(a, r, g, h, pad(x[{shown}]))").body.chosen.positions[0]


@pytest.mark.parametrize(
    ("shown", "factors"),
    [("2*a+r-1", {"a": 2, "r": 1}), ("size(i)-1-a", {"a": -1}), ("3", {}), ("2*(a-r)", {"a": 2, "r": -2})],
)
def test_affine_positions(shown, factors):
    found = affine(position(shown))
    assert {index.name: factor for index, factor in found.factors} == factors


@pytest.mark.parametrize("shown", ["floor(a/2)", "mod(a, 2)", "g*size(a)+a", "a*r"])
def test_positions_that_are_not_affine(shown):
    assert affine(position(shown)) is None


def test_a_counter_counts_as_a_constant():
    axis = Axis("T", "t")
    counter = Counter("t", axis)
    assert counter != Index("t", axis) and not counter.free_indices
    assert affine(Add((counter, Number(-1)))).factors == ()


def test_the_ends_of_a_position():
    low, high = lowest_and_highest(affine(position("2*a-r+1")))
    assert (text(low), text(high)) == ("2 - size(r)", "2*size(a) - 1")


def test_what_is_at_least_zero():
    size = Size(Axis("T", "t"))
    assert text(at_least_zero(Add((size, Number(-1))))) == "size(t) - 1"
    assert text(at_least_zero(Add((size, Number(-2))))) == "max(size(t) - 2, 0)"
    assert at_least_zero(Multiply((Number(-1), size))) == Number(0)


@pytest.mark.parametrize(
    ("shown", "indices"),
    [("3*g+h", "gh"), ("size(h)*g+h", "gh"), ("(a*size(g)+g)*3+h", "agh"), ("a*size(r)+r", "ar")],
)
@pytest.mark.parametrize("start", ["0", "1", "2*size(h)*size(g)", "size(a) - 3"])
def test_positions_that_count_through(shown, indices, start):
    found, begins = mixed_radix(position(f"{shown} + {start}"))
    assert "".join(index.name for index in found) == indices
    assert begins == linear_form(position(start))


@pytest.mark.parametrize(
    "shown", ["2*g+h", "3*g+h+a", "3*g+h+floor(g/2)", "3*g-h", "3*g", "a*size(g)+r", "g+h"]
)
def test_positions_that_do_not_count_through(shown):
    assert mixed_radix(position(shown)) is None


def test_a_floor_is_a_quotient_of_whole_numbers():
    shown = position("floor((2*a+1)/size(r))").arguments[0]
    assert tuple(map(text, divided(shown))) == ("2*a + 1", "size(r)")
    assert tuple(map(text, divided(position("floor(a/2+1/3)").arguments[0]))) == ("3*a + 2", "6")


@pytest.mark.parametrize(
    ("right", "shorter"),
    [
        ("sum(i, where(i >= 1, x[i]*x[i-1], 0))", "sum(i, x[i + 1]*x[i])"),
        ("sum(i, x[i]*pad(x[i+1]))", "sum(i, x[i]*x[i + 1])"),
        ("sum(i, where(i >= 1 and i < size(i)-2, x[i], 0))", "sum(i, x[i + 1])"),
    ],
)
def test_sums_over_a_part_of_a_range(right, shorter):
    assert text(with_short_ranges(expression(right))) == shorter


@pytest.mark.parametrize(
    "right",
    [
        "sum(i, where(i >= 1, x[i], 1))",
        "sum(i, where(x[i] > 0, x[i], 0))",
        "sum(i, where(2*i >= 3, x[i], 0))",
        "sum(i, j, where(i >= j, x[i], 0))",
        "sum(i, where(i >= 1 or i < 0, x[i], 0))",
        "max(i, where(i >= 1, x[i], 0))",
        "sum(i, 1 + where(i >= 1, x[i], 0))",
    ],
)
def test_sums_that_stay(right):
    assert with_short_ranges(expression(right)) == expression(right)


def own_of(model):
    return {name: tensor.indices for name, tensor in model.tensors.items()}


def way(right, left, parameters=()):
    model = system(right, left)
    equation, own = model.equations[0], own_of(model)
    reduction = equation.expression
    bound = reduction.indices if isinstance(reduction, Reduction) else ()
    body = with_padded_reads(simplified(reduction.body if bound else reduction), own, NOTHING_KNOWN)
    (window,) = windows_of(body, (*bound, *equation.indices), {})
    axes = {index.axis for index in bound if index.name in parameters}
    return stepped(window, body, bound, equation.indices, axes, (), own)


def test_the_index_that_is_summed_over_is_stepped():
    found = way("sum(r, w[r]*pad(x[2*a+r-1]))", "z[a]", ("r",))
    assert (found.way, found.index.name) == ("add", "r")


def test_an_index_of_a_parameter_is_stepped_before_others():
    assert way("sum(a, pad(x[a+r]))", "z[r]").index.name == "a"
    found = way("sum(a, r, pad(x[a+r]))", "z", ("r",))
    assert found.index.name == "r"


def test_a_solved_window_is_scattered_again():
    found = way("sum(a, k[0]*where(0 <= i-2*a and i-2*a < size(r), w[i-2*a], 0))", "z[i]")
    assert (found.way, found.index.name, text(found.place)) == ("scatter", "r", "r + 2*a")


@pytest.mark.parametrize(
    "right",
    [
        # what depends on the result's index besides; a factor that is 2; a term that is not 0 outside
        "sum(a, x[i]*where(0 <= i-2*a and i-2*a < size(r), w[i-2*a], 0))",
        "sum(a, where(0 <= 2*i-a and 2*i-a < size(r), w[2*i-a], 0)*k[0] + k[0])",
        "sum(a, k[0]*where(0 <= i+2*a and i+2*a < size(r), w[i+2*a], 0))",
        "max(a, where(0 <= i-2*a and i-2*a < size(r), w[i-2*a], 0))",
    ],
)
def test_what_is_not_scattered(right):
    model = system(right, "z[i]")
    equation, own = model.equations[0], own_of(model)
    reduction = equation.expression
    (window,) = windows_of(reduction.body, (*reduction.indices, *equation.indices), {})
    found = stepped(
        window, reduction.body, reduction.indices, equation.indices, (), (), own, reduction.kind == "sum"
    )
    assert found is None or found.way != "scatter"


def test_a_condition_goes_to_the_read_that_it_keeps_inside():
    own = own_of(system("0"))
    moved = with_padded_reads(
        expression("sum(i, where(0 <= i-1 and i < 4, y[0]*x[i-1], 0))"), own, NOTHING_KNOWN
    )
    assert text(moved) == "sum(i, where(i < 4, y[0]*where(0 <= i - 1, x[i - 1], 0), 0))"
    guarded = expression("sum(i, where(0 <= i-1, x[i-1]*exp(x[i-1]), 0))")
    assert with_padded_reads(guarded, own, NOTHING_KNOWN) == guarded


def test_folds():
    own = own_of(system("0"))
    read = expression("k[floor(q/3)]*m[floor(q/3),mod(q,3)]", "z[q]")
    # Whether the parts reach every place is known with a declared size alone, which the number must divide.
    undeclared = Index("q", Axis("Q", "q"))
    assert folds_of(read, (undeclared,), own) == []
    six, seven = (Index("q", Axis("Q", "q", size)) for size in (6, 7))
    (fold,) = folds_of(substitute(read, {undeclared: six}), (six,), own)
    assert [digit.axis.size for digit in fold.digits] == [2, 3]
    assert folds_of(substitute(read, {undeclared: seven}), (seven,), own) == []
    for other in (
        "k[floor(q/3)]*m[floor(q/3),mod(q,3)]*q",
        "k[floor(q/2)]*m[floor(q/2),mod(q,2)]",
        "k[0]*m[0,0]",
    ):
        assert folds_of(expression(other, "z[q]"), (Index("q", Axis("Q", "q")),), own) == []


@pytest.mark.parametrize("first", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("axes", "own", "read"),
    [
        ("index a : A = 3\nindex h : H\nindex q : Q\n", "h,a", "floor(q/3),mod(q,3)"),
        ("index a : A\nindex h : H\nindex q : Q\n", "h,a", "floor(q/size(a)),mod(q,size(a))"),
        ("index a : A = 3\nindex q : Q\n", "q,a", "floor(q/3),mod(q,3)"),
        ("index a : A = 1\nindex q : Q\n", "q,a", "floor(q/1),mod(q,1)"),
        ("index a : A = 2\nindex h : H = 3\nindex q : Q = 5\n", "h,a", "floor(q/2),mod(q,2)"),
        ("index a : A = 2\nindex h : H = 3\nindex q : Q = 6\n", "h,a", "floor(q/2),mod(q,2)"),
        (
            "index a : A = 2\nindex g, q : Q\n",
            "q,g,a",
            "floor(q/(size(q)*2)),mod(floor(q/2),size(q)),mod(q,2)",
        ),
    ],
)
def test_digits_may_count_through_the_first_places_alone(axes: str, own: str, read: str, first: int) -> None:
    system = parse_system(f"{axes}param x[{own}], w[q]\nloss L = sum(q, (x[{read}] + 1)^2*w[q])\n")
    sizes = {axis.name: first if axis.size is None else axis.size for axis in system.axes}
    sizes["A"] = max(sizes.get("A", 1), 1)  # an open axis that is divided by
    sizes["H"] = max(sizes.get("H", 0), -(-sizes["Q"] // sizes["A"]))  # q may end before, or in, the last row
    rng = np.random.default_rng(2)
    values = {
        tensor.name: rng.normal(size=[sizes[index.axis.name] for index in tensor.indices])
        for tensor in system.with_role(Role.PARAMETER)
    }
    derivation = derive(system)
    module = load_module(numpy_source(lower(derivation)), "digits")
    if "size(a)" in read and not first:
        with pytest.raises(ValueError, match="axis Q is empty"):
            module.value_and_grad(values)
        return
    loss, gradients = module.value_and_grad(values)
    known = evaluate(derivation.as_system(), values, sizes)
    assert_close(np.asarray(loss), known["L"], "L")
    for name, gradient in gradients.items():
        assert_close(gradient, known[derivation.gradients[name].tensor].astype(float), name)


@pytest.mark.parametrize("places", [1, 2, 4, 6])
@pytest.mark.parametrize(
    "equations",
    [
        "v[c] = pad(x[1*c])*q[c]\nloss L = sum(n, v[ids[n]]^2*r[n])\n",
        "v[c] = where(1*c >= size(a), q[c], sin(x[1*c]))\nloss L = sum(n, v[ids[n]]*r[n])\n",
        "loss L = sum(n, where(size(a) > ids[n], x[ids[n] + 0]^2, 1)*q[ids[n]]*r[n])\n",
    ],
)
def test_an_integer_may_read_another_axis_than_it_indexes(equations: str, places: int) -> None:
    axes = "index a : A\nindex c : C\nindex n : N\ninput ids[n] in C\n"
    system = parse_system(f"{axes}param x[a], q[c], r[n]\n{equations}")
    rng = np.random.default_rng(4)
    sizes = {"A": places, "C": 4, "N": 5}
    values = {name: rng.normal(size=sizes[axis]) for name, axis in zip("xqr", "ACN", strict=True)}
    ids = np.array([3, 0, 2, 3, 1])
    derivation = derive(system)
    module = load_module(numpy_source(lower(derivation)), "integers")
    loss, gradients = module.value_and_grad(values, ids=ids)
    known = evaluate(derivation.as_system(), {**values, "ids": ids}, sizes)
    assert_close(np.asarray(loss), known["L"], "L")
    for name, gradient in gradients.items():
        assert_close(gradient, known[derivation.gradients[name].tensor].astype(float), name)
