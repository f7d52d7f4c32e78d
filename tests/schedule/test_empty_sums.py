"""A factor that may be undefined does not outlive the sum that it was moved out of, where that is empty."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Where
from symbackprop.schedule.empty_sums import with_empty_sums_guarded
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

HEAD = "index b : B\nindex c : C\nindex k : K = 3\ninput x[b], z[k]\nparam p, q[c]\n"


def chosen(formula: str) -> str:
    system = parse_system(f"{HEAD}y = {formula}\nloss E = y")
    return text(chosen_in(system)[0].equation.expression)


def chosen_in(system: System, adjoints: Collection[str] = ("y",)) -> tuple[NamedEquation, ...]:
    """The equations, some of them as if they were adjoints."""
    items = tuple(map(NamedEquation.of, system.equations))
    derivative = Derivative(Element("E"), Element("p"), total=True)
    return with_empty_sums_guarded(items, Ranges.of(system), dict.fromkeys(adjoints, derivative))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("sum(b, x[b])/sqrt(p)", "where(size(b) > 0, sum(b, x[b])/sqrt(p), 0)"),
        ("sum(b, x[b]*sqrt(p))", "where(size(b) > 0, sum(b, x[b]*sqrt(p)), 0)"),
        ("size(b)*log(p)", "where(size(b) > 0, size(b)*log(p), 0)"),
        (
            "(sum(b, x[b]) - sum(b, 1))*log(p)",
            "where(size(b) > 0, (sum(b, x[b]) - sum(b, 1))*log(p), 0)",
        ),
        ("sum(b, c, x[b]*log(q[c]))", "where(size(b) > 0, sum(b, c, x[b]*log(q[c])), 0)"),
    ],
)
def test_a_sum_beside_what_may_be_undefined_is_chosen(formula: str, expected: str) -> None:
    assert chosen(formula) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "sum(b, x[b])*exp(p)",  # defined everywhere
        "sum(b, x[b])/(1 + p^2)",  # positive
        "sum(k, z[k])/sqrt(p)",  # three terms, whatever the arrays
        "sum(c, log(q[c]))",  # undefined only where there is a term
        "(sum(b, x[b]) + 1)/sqrt(p)",  # not 0 where there are none
        "1/sqrt(p)",
        "sum(b, x[b])/p",  # undefined where p is 0 to the bit
    ],
)
def test_others_stay(formula: str) -> None:
    system = parse_system(f"{HEAD}y = {formula}\nloss E = y")
    (first, *_) = chosen_in(system)
    assert not any(isinstance(node, Where) for node in first.equation.expression.walk())
    assert first.equation.expression == system.equations[0].expression


@pytest.mark.parametrize(
    "body",
    [
        "y[b] = x[b]*sqrt(p)\nloss E = sum(b, y[b]^3) + sum(c, q[c])",
        "loss E = sum(b, x[b]/max(p, 0)) + sum(c, q[c])",
        "loss E = sum(c, q[c]^2)*sum(b, x[b]*sqrt(p))",
        "loss E = sum(b, c, x[b]*q[c]^(3/2))",
        "y[b,c] = log(q[c])*x[b]\nloss E = sum(b, c, y[b,c]^2)",
    ],
)
def test_an_empty_batch_has_gradients_of_zero(body: str) -> None:
    module = sb.loads(HEAD + body).derive(["p", "q"]).module()
    values = {"p": np.array(-1.0), "q": -np.ones(2)}
    batch = {"x": np.ones(0), "z": np.ones(3)}
    for dtype in (np.float64, np.float32):
        params = {name: array.astype(dtype) for name, array in values.items()}
        others = {name: array.astype(dtype) for name, array in batch.items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            loss, gradients = module.value_and_grad(params, **others)
        assert np.isfinite(loss)
        assert loss.dtype == dtype
        assert all(np.all(np.isfinite(gradient)) for gradient in gradients.values())
        assert gradients["p"] == 0


def test_a_product_that_the_user_wrote_stays() -> None:
    system = parse_system(f"{HEAD}y = sum(b, x[b])*log(p)\nloss E = y")
    (first, *_) = chosen_in(system, adjoints=())
    assert first.equation.expression == system.equations[0].expression


def test_a_batch_that_is_not_empty_has_no_number_where_the_model_has_none() -> None:
    module = sb.loads(HEAD + "loss E = sum(b, x[b]*sqrt(p)) + sum(c, q[c])").derive(["p"]).module()
    with np.errstate(invalid="ignore"):
        loss, gradients = module.value_and_grad({"p": -1.0, "q": np.ones(2)}, x=np.ones(1), z=np.ones(3))
    assert np.isnan(loss)
    assert np.isnan(gradients["p"])


@pytest.mark.parametrize(
    "loss",
    [
        "sum(b, x[b] + log(p))",
        "sum(b, where(b > 0, x[b]^2/p + log(p), 0))",
        "sum(b, c, x[b]*(sqrt(p) + q[c]))",
    ],
)
def test_a_term_that_may_be_undefined_is_not_counted(loss: str) -> None:
    """log(p)*size(b) is nan where there is no b and p < 0."""
    module = load_module(sb.loads(f"{HEAD}loss E = {loss}\n").derive().to_numpy(), "counted")
    data = {"p": np.array(-0.5), "q": np.ones(2)}
    with np.errstate(invalid="ignore"):
        found, gradients = module.value_and_grad(data, x=np.zeros(0), z=np.ones(3))
    assert found == 0.0 and gradients["p"] == 0.0
