"""A deep network's gradient and schedule are unfolded from few blocks where they are what all give."""

import re

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.memoization.equal_blocks import longest_chain, with_few_blocks
from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.schedule.driver import Schedule, schedule_of
from symbackprop.systems.system import System
from symbackprop.unfolding import derivations
from symbackprop.unfolding.derivations import UnfoldedDerivation, unfolded_derivation
from symbackprop.unfolding.programs import unfolded_program
from symbackprop.unfolding.rows import NotUnfolded, Rows, natural
from symbackprop.unfolding.schedules import unfolded_schedule
from tests.memoization.test_recall import dense, layers

COUNT = 10  # names go from one digit to two
RESIDUAL = layers(
    *("m@[b] = mean(i, x<[b,i])", "s@[b] = sqrt(mean(i, (x<[b,i] - m@[b])^2) + 1e-5)"),
    "h@[b,i] = (x<[b,i] - m@[b])/s@[b]",
    "x@[b,i] = x<[b,i] + sum(j, U@[i,j]*gelu(sum(i, V@[j,i]*h@[b,i]) + v@[j]))",
    count=COUNT,
    declared="param U@[i,j], V@[j,i], v@[j]",
)
ALTERNATING = layers(
    *("u@[b,i] = tanh(sum(j, W@[i,j]*x<[b,j]))", "x@[b,i] = max(u@[b,i]*g@[i], 0)"),
    count=COUNT,
    declared="param W@[i,j], g@[i]",
)
DROPOUT = layers(
    *("a@[b,i] = max(sum(j, W@[i,j]*x<[b,j]) + v@[i], 0)", "x@[b,i] = x<[b,i] + a@[b,i]*keep@[b,i]/0.9"),
    count=COUNT,
    declared="param W@[i,j], v@[i]\nconst keep@[b,i]",
)
ONE_MASK = DROPOUT.replace("const keep@[b,i]", "").replace("target", "const keep[b,i]\ntarget", 1)
ONE_MASK = "\n".join(line for line in ONE_MASK.splitlines() if not line.startswith("const keep1"))
for number in range(1, COUNT + 1):
    ONE_MASK = ONE_MASK.replace(f"const keep{number}[b,i]\n", "").replace(f"keep{number}[", "keep[")
SOFTMAX = layers(
    *("c@[b,i] = sum(j, W@[i,j]*x<[b,j])", "e@[b,i] = exp(c@[b,i])", "p@[b,i] = e@[b,i]/sum(i, e@[b,i])"),
    "x@[b,i] = x<[b,i] + p@[b,i]*g@[i]",
    count=COUNT,
    declared="param W@[i,j], g@[i]",
)
MASKED = layers(
    *("c@[b,i] = sum(j, W@[i,j]*x<[b,j])", "e@[b,i] = where(b >= i, exp(c@[b,i]), 0)"),
    *("p@[b,i] = e@[b,i]/sum(i, e@[b,i])", "x@[b,i] = x<[b,i] + p@[b,i]*g@[i]"),
    count=COUNT,
    declared="param W@[i,j], g@[i]",
)
# What a block reads has its number, what it gives the next one, so that two tensors lay claim to delta5.
OF_NEXT = layers(
    "y@[b,i] = x<[b,i] + tanh(sum(j, U@[i,j]*x<[b,j]))",
    "x@[b,i] = y@[b,i] + sum(j, V@[i,j]*y@[b,j])",
    count=COUNT,
    declared="param U@[i,j], V@[i,j]",
)
OF_NEXT = re.sub(r"\bx(\d+)", lambda found: f"x{int(found[1]) + 1}", OF_NEXT)
# state8 - mu9 has a name after both, state9 - mu10 would have too long a one.
LONG_NAMES = re.sub(r"\bm(?=\d)", "mu", re.sub(r"\bx(?=\d)", "state", RESIDUAL))
LONG_NAMES = re.sub(r"\b([a-zUV]+)(\d+)", lambda found: f"{found[1]}{int(found[2]) + 4}", LONG_NAMES)
LAST_DIFFERS = (
    dense(COUNT)
    .replace("(x10[b,i]", "(sin(x10[b,i])")
    .replace("x10[b,i] = sigmoid(u10[b,i])", "x10[b,i] = tanh(u10[b,i])")
)
UNFOLDED = {
    "dense": dense(COUNT),
    "residual": RESIDUAL,
    "two kinds": ALTERNATING,
    "dropout": DROPOUT,
    "one mask": ONE_MASK,
    "softmax": SOFTMAX,
    "masked softmax": MASKED,
    "last block different": LAST_DIFFERS,
    "numbered after the next": OF_NEXT,
    "long names": LONG_NAMES,
}
TIED = layers("x@[b,i] = tanh(sum(j, W[i,j]*x<[b,j]) + v@[i])", count=COUNT, declared="param v@[i]").replace(
    "target", "param W[i,j]\ntarget", 1
)
READS_FIRST = (
    layers("x@[b,i] = tanh(sum(j, W@[i,j]*x<[b,j])) + r[b,i]", count=COUNT, declared="param W@[i,j]")
    .replace("x1[b,i] =", "r[b,i] = sin(sum(j, R[i,j]*x0[b,j]))\nx1[b,i] =")
    .replace("target", "param R[i,j]\ntarget", 1)
)
DECAY = dense(COUNT).replace(
    "^2)\n", "^2) + 0.1*(" + " + ".join(f"sum(i, v{n}[i]^2)" for n in range(1, 11)) + ")\n"
)
FACT = dense(COUNT).replace("u1[b,i] =", "fact sum(i, v2[i]) == 1\nu1[b,i] =")
PLAIN = {"tied": TIED, "reads the first input": READS_FIRST, "weight decay": DECAY, "fact": FACT}


@pytest.fixture(autouse=True)
def small_models_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivations, "FEWEST_BLOCKS", 8)
    monkeypatch.setattr(derivations, "FEWEST_LEFT_OUT", 0)


def whole(text: str) -> tuple[UnfoldedDerivation, Schedule]:
    unfolded = unfolded_derivation(parse_system(text))
    assert unfolded is not None
    schedule = unfolded_schedule(unfolded)
    assert schedule is not None
    return unfolded, schedule.whole


def written(derivation: Derivation) -> list[tuple[str, ...]]:
    return [
        (
            each.tensor,
            str(each.total),
            str(each.equation),
            *(str((step.rule, step.after)) for step in each.all_steps),
        )
        for each in derivation.adjoints
    ]


@pytest.mark.parametrize("text", UNFOLDED.values(), ids=UNFOLDED)
def test_what_is_unfolded_is_what_all_blocks_give(text: str) -> None:
    unfolded, schedule = whole(text)
    plain = derive(parse_system(text))
    assert written(unfolded.derivation) == written(plain)
    assert list(unfolded.derivation.gradients) == list(plain.gradients)
    expected = schedule_of(plain)
    assert schedule.equations == expected.equations
    assert list(map(str, schedule.equations)) == list(map(str, expected.equations))
    unfolded_schedules = unfolded_schedule(unfolded)
    assert unfolded_schedules is not None
    few = lower(unfolded.by_one.few, unfolded_schedules.by_one.few)
    assert unfolded_program(unfolded, unfolded_schedules, few) == lower(plain, expected)


@pytest.mark.parametrize("name", ["one mask", "last block different", "masked softmax"])
def test_a_module_is_the_same_byte_for_byte_and_its_steps_replay(name: str) -> None:
    text = UNFOLDED[name]
    derived, plain = loads(text).derive(), ModelDerivation(derive(parse_system(text)), loads(text))
    assert derived.unfolded is not None and derived.replay()
    assert derived.to_numpy(verify=False) == plain.to_numpy(verify=False)


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_what_other_blocks_change_is_derived_plainly(text: str) -> None:
    assert unfolded_derivation(parse_system(text)) is None


def test_gradients_of_some_blocks_alone_are_derived_plainly() -> None:
    assert unfolded_derivation(parse_system(dense(COUNT)), ["W1", "W5"]) is None


def test_names_that_come_in_another_order_are_derived_plainly() -> None:
    text = dense(COUNT).replace("W7", "a_weight").replace("v7", "z_bias")
    assert unfolded_derivation(parse_system(text)) is None


def test_numbers_in_names_are_ordered_by_what_they_count() -> None:
    assert sorted(["x10", "x9", "x", "x9a", "y1"], key=natural) == ["x", "x9", "x9a", "x10", "y1"]


def rows(text: str) -> tuple[Rows, System]:
    system = parse_system(text)
    chain = longest_chain(system.equations)
    assert chain is not None
    few = with_few_blocks(system, chain, 3)
    assert few is not None
    return Rows.of(chain.next, few, system, chain.count - 4), few


def test_a_block_in_the_middle_has_what_the_second_has_in_names_further_on() -> None:
    found, few = rows(dense(COUNT))
    assert [name for name in few.tensors if name.startswith("W")] == ["W1", "W2", "W3", "W10"]
    assert found.source("W3") == ("W3", 0) and found.source("W10") == ("W10", 6)
    assert found.source("W4") == ("W2", 2) and found.source("W9") == ("W2", 7)
    assert found.source("x0") == ("x0", 0) and found.source("E") == ("E", None)
    assert found.shifted(7)["x1"] == "x8" and found.shifted(7)["x3"] == "x10"
    assert "x10" not in found.shifted(7)


def test_blocks_that_are_declared_otherwise_are_not_equal() -> None:
    with pytest.raises(NotUnfolded):
        rows(dense(COUNT).replace("param W6[i,j], v6[i]", "const W6[i,j]\nparam v6[i]"))
