"""Layers equal up to their names are worked out once, and come out as if each had been worked out."""

from collections.abc import Callable
from typing import Any

import pytest

from symbackprop.algebra.context import Scope
from symbackprop.algebra.scalar_search import Budget
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.memoization.recall import Recall
from symbackprop.memoization.watched_scope import WatchedScope
from symbackprop.pipeline import loads
from symbackprop.systems.system import System

AXES = "index b : B\nindex i, j : N\ninput x0[b,i]\ntarget d[b,i]\n"


def layers(*equations: str, count: int, declared: str = "") -> str:
    """A net of that many layers: `@` is the number of one, `<` that of the layer before."""

    def numbered(text: str, number: int) -> str:
        return text.replace("@", str(number)).replace("<", str(number - 1))

    numbers = range(1, count + 1)
    lines = [numbered(each, number) for number in numbers for each in (declared, *equations) if each]
    loss = f"loss E = 1/2*sum(b, i, (x{count}[b,i] - d[b,i])^2)\n"
    return AXES + "\n".join([*lines, loss])


def dense(count: int) -> str:
    """Layers with sigmoid."""
    equations = "u@[b,i] = sum(j, W@[i,j]*x<[b,j]) + v@[i]", "x@[b,i] = sigmoid(u@[b,i])"
    return layers(*equations, count=count, declared="param W@[i,j], v@[i]")


NORMED = layers(
    "m@[b] = mean(i, x<[b,i])",
    "s@[b] = sqrt(mean(i, (x<[b,i] - m@[b])^2) + 1e-5)",
    "h@[b,i] = (x<[b,i] - m@[b])/s@[b]",
    "x@[b,i] = x<[b,i] + tanh(g@[i]*h@[b,i])",
    count=3,
    declared="param g@[i]",
)
MASKED = layers(
    "e@[b,i] = where(i >= 1, exp(x<[b,i - 1]*w@[i]), 1)",
    "p@[b,i] = e@[b,i]/sum(j, e@[b,j])",
    "x@[b,i] = max(x<[b,i], p@[b,i]*t)",
    count=4,
    declared="param w@[i]",
).replace("target", "param t\ntarget")
SHARED = layers("x@[b,i] = sin(sum(j, W[i,j]*x<[b,j]))", count=5).replace("target", "param W[i,j]\ntarget")
WITH_FACTS = layers(
    "x@[b,i] = sum(j, S@[i,j]*x<[b,j])*sum(j, q@[j])^2",
    count=6,
    declared="param S@[i,j]\ninput q@[i]\nfact sum(i, q@[i]) == 1",
)
MODELS = {"dense": dense(12), "normed": NORMED, "masked": MASKED, "shared": SHARED, "facts": WITH_FACTS}


def each_by_itself(monkeypatch: pytest.MonkeyPatch, text: str) -> Derivation:
    """The derivation where nothing is taken over."""

    def worked_out(_: Recall, given: Any, scope: Scope, account: Any, work_out: Any, renamed: Any) -> Any:
        return work_out(scope)

    with monkeypatch.context() as patch:
        patch.setattr(Recall, "taken_over", worked_out)
        return loads(text).derive().derivation


def numbers_worked_out(monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[int, int]:
    """How many results are asked for, and how many of them are worked out."""
    asked, worked = [], []
    plain = Recall.taken_over

    def counted(
        self: Recall, given: Any, scope: Scope, account: Any, work_out: Callable[[Scope], Any], renamed: Any
    ) -> Any:
        def work(scope: Scope) -> Any:
            worked.append(given)
            return work_out(scope)

        asked.append(given)
        return plain(self, given, scope, account, work, renamed)

    with monkeypatch.context() as patch:
        patch.setattr(Recall, "taken_over", counted)
        loads(text).derive()
    return len(asked), len(worked)


def assert_same(found: Derivation, expected: Derivation) -> None:
    for one, other in zip(found.steps, expected.steps, strict=True):
        assert (one.rule, one.rule.statement, one.place) == (other.rule, other.rule.statement, other.place)
        assert one.before.is_identical(other.before)
        assert one.after.is_identical(other.after)
    assert [each.element for each in found.equations] == [each.element for each in expected.equations]
    for left, right in zip(found.equations, expected.equations, strict=True):
        assert left.expression.is_identical(right.expression)


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS)
def test_equal_layers_come_out_as_if_each_were_worked_out(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(loads(text).derive().derivation, each_by_itself(monkeypatch, text))


@pytest.mark.parametrize(
    ("name", "most"), [("dense", 0.5), ("normed", 0.85), ("masked", 0.9), ("facts", 0.9)]
)
def test_something_is_taken_over(name: str, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, worked = numbers_worked_out(monkeypatch, MODELS[name])
    assert worked <= most * asked


def test_a_like_system_takes_over_what_another_has_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    recall = Recall()
    derive(parse_system(dense(4)), recall=recall)
    worked = sum(map(len, recall.candidates.values()))
    assert_same(derive(parse_system(dense(5)), recall=recall), each_by_itself(monkeypatch, dense(5)))
    assert sum(map(len, recall.candidates.values())) <= worked + 2


WITHOUT_FACTS = "".join(line for line in WITH_FACTS.splitlines(keepends=True) if "fact" not in line)


@pytest.mark.parametrize(
    ("before", "text"), [(WITH_FACTS, WITHOUT_FACTS), (WITHOUT_FACTS, WITH_FACTS)], ids=["lost", "won"]
)
def test_another_system_with_other_facts(before: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recall = Recall()
    derive(parse_system(before), recall=recall)
    assert_same(derive(parse_system(text), recall=recall), each_by_itself(monkeypatch, text))


def test_the_steps_of_an_equal_layer_can_be_done_again() -> None:
    assert sum(loads(NORMED).derive().replay().values()) > 100


def test_a_deeper_net_is_no_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond ten layers the names come in the order that those before had."""
    _, few = numbers_worked_out(monkeypatch, dense(12))
    _, many = numbers_worked_out(monkeypatch, dense(19))
    assert many <= few + 8


@pytest.mark.parametrize(
    "change",
    [
        ("x3[b,i] = sigmoid(u3[b,i])", "x3[b,i] = tanh(u3[b,i])"),  # another function
        ("sum(j, W4[i,j]*x3[b,j])", "sum(j, W4[j,i]*x3[b,j])"),  # other positions
        ("sum(j, W4[i,j]*x3[b,j])", "sum(j, W5[i,j]*x3[b,j])"),  # a parameter of two layers
        (", v3[i]\n", ", v3[i]\nfact sum(i, v3[i]) == 0\n"),  # what is known of one alone
        ("x5[b,i] = sigmoid(u5[b,i])", "x5[b,i] = where(i > 0, sigmoid(u5[b,i]), 0)"),  # a mask
    ],
    ids=["function", "positions", "shared", "fact", "mask"],
)
def test_a_layer_that_differs(change: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = dense(6)
    assert text.count(change[0]) == 1
    text = text.replace(*change)
    assert_same(loads(text).derive().derivation, each_by_itself(monkeypatch, text))


@pytest.mark.parametrize("number", [1, 3])
def test_a_layer_that_says_more_of_its_weights(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One matrix is symmetric: its gradient may be written with the sides changed, the others' not."""
    fact = f"fact S{number}[i,j] == S{number}[j,i]\n"
    text = WITH_FACTS.replace(f"param S{number}[i,j]\n", f"param S{number}[i,j]\n{fact}")
    assert fact in text
    assert_same(loads(text).derive().derivation, each_by_itself(monkeypatch, text))


def test_what_is_spent_is_charged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the budget of a derivation ends does not depend on what is taken over."""
    budgets = []
    plain = Budget.of

    def noted(system: System) -> Budget:
        budgets.append(plain(system))
        return budgets[-1]

    monkeypatch.setattr(Budget, "of", noted)
    loads(NORMED).derive()
    left = [each.left for each in budgets]
    budgets.clear()
    each_by_itself(monkeypatch, NORMED)
    assert [each.left for each in budgets] == left


def test_every_question_of_several_tensors_is_noted() -> None:
    """One that is not would be answered for another layer as for the first."""
    of_expressions = {
        name
        for name, method in vars(Scope).items()
        if not name.startswith("_") and "expression" in getattr(method, "__annotations__", {})
    }
    assert of_expressions and of_expressions <= vars(WatchedScope).keys()
