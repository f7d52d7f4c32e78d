"""Runs of lines that are equal but for names: which are found, and what their tensors are called."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import pytest

from symbackprop.array.ir import Elementwise, Literal, Read
from symbackprop.array.program import Program, Statement
from symbackprop.array.segments import segments_of
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.passes.blocks import Block, blocks_of
from symbackprop.passes.matching_lines import Descriptions, MatchingLines
from symbackprop.passes.own_names import in_order_of_names, own_names
from symbackprop.passes.renaming import line_outline, names_in, renamed_line, shape_of, unlike_lines
from symbackprop.passes.repeats import Repeat, Repeats
from tests.programs import lower_system

HEAD = "index n : N\nindex i, j : I\ninput x[n,i]\ntarget d[n,i]\n"
# A dense layer, normalised, beside what comes in: and a bump.
LAYER = (
    "param W{l}[i,j], b{l}[i], g{l}[i]\n"
    "u{l}[n,i] = sum(j, W{l}[i,j]*{x}[n,j]) + b{l}[i]\n"
    "v{l}[n,i] = {f}(u{l}[n,i])\n"
    "m{l}[n] = mean(i, v{l}[n,i])\n"
    "s{l}[n] = sqrt(mean(i, (v{l}[n,i] - m{l}[n])^2) + {eps})\n"
    "h{l}[n,i] = (v{l}[n,i] - m{l}[n])/s{l}[n]*g{l}[i]\n"
    "p{l}[n,i] = exp(-h{l}[n,i]^2)\n"
    "q{l}[n,i] = h{l}[n,i]*p{l}[n,i]\n"
    "y{l}[n,i] = q{l}[n,i] + {x}[n,i]\n"
)


def stacked(functions: list[str], numbers: list[str] | None = None, eps: list[str] | None = None) -> str:
    """Layers one after another, and half the square of what the last differs by."""
    names = numbers or [str(number) for number in range(1, len(functions) + 1)]
    before = ["x", *(f"y{name}" for name in names)]
    small = eps or ["1e-5"] * len(functions)
    layers = "".join(
        LAYER.format(l=name, x=given, f=function, eps=tiny)
        for name, given, function, tiny in zip(names, before, functions, small, strict=False)
    )
    return f"{HEAD}{layers}loss E = 1/2*sum(n, i, ({before[-1]}[n,i] - d[n,i])^2)\n"


@cache
def program_of(text: str) -> Program:
    return lower(derive(parse_system(text)))


def forward_blocks(text: str) -> tuple[Block, ...]:
    return blocks_of(lower_system(parse_system(text))).blocks


def test_layers_that_repeat_are_a_block_whose_tensors_have_no_numbers():
    (block,) = forward_blocks(stacked(["tanh"] * 3))
    assert len({len(run) for run in block.runs}) == 1
    assert [names["y"] for names in block.names] == ["y1", "y2", "y3"]
    assert [names["x"] for names in block.names] == ["x", "y1", "y2"]
    assert block.given_back == ("y",)
    assert block.kept == ()
    assert block.numbers == (1, 2, 3)


def test_what_a_block_reads_from_another_has_one_name_in_both():
    gate = (
        r"param V\1[i,j], c\1[i]\nk\1[n,i] = sum(j, V\1[i,j]*q\1[n,j]) + c\1[i]\n"
        r"y\1[n,i] = tanh(k\1[n,i])*q\1[n,i]"
    )
    text = re.sub(r"y(\d)\[n,i\] = q\d\[n,i\]", gate, stacked(["tanh"] * 3).replace("sqrt(mean(", "(mean("))
    forward, backward = blocks_of(program_of(text)).blocks
    assert backward.way_back and backward.source is not None
    assert backward.source.block is forward
    assert {"v", "s", "h", "p"} <= set(forward.kept)
    assert [forward.numbers[run] for run in backward.source.runs] == list(backward.numbers) == [3, 2, 1]
    assert all(own in backward.names[0] for own in forward.kept)
    for run, names in zip(backward.source.runs, backward.names, strict=True):
        assert all(names[own] == forward.names[run][own] for own in forward.kept)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (stacked(["tanh", "sigmoid"]), []),  # another function
        (stacked(["tanh", "tanh"], eps=["1e-5", "1e-6"]), []),  # another number
        (stacked(["tanh", "sigmoid", "tanh", "sigmoid"]), [2]),  # two layers at a time
        (stacked(["tanh", "sigmoid", "tanh"]), [2]),  # with another between them
        (stacked(["tanh"]), []),
    ],
)
def test_near_misses(text: str, runs: list[int]):
    assert [len(block.runs) for block in forward_blocks(text)] == runs


@pytest.mark.parametrize("layers", [2, 12])
def test_dense_layers_are_too_short_for_a_function_and_so_are_some_of_many(layers: int):
    dense = "param W{l}[i,j]\nu{l}[n,i] = sum(j, W{l}[i,j]*{x}[n,j])\nz{l}[n,i] = tanh(u{l}[n,i])\n"
    given = ["x", *(f"z{number}" for number in range(1, layers + 1))]
    text = HEAD + "".join(dense.format(l=number + 1, x=given[number]) for number in range(layers))
    assert not forward_blocks(f"{text}loss E = sum(n, i, ({given[-1]}[n,i] - d[n,i])^2)\n")


def test_layers_over_axes_that_no_argument_has_are_no_block():
    text = stacked(["tanh", "tanh"])
    for own in "12":
        text = text.replace(f"tanh(u{own}[n,i])", f"tanh(u{own}[n,i]/size(k{own}))")
    assert [len(block.runs) for block in forward_blocks(text.replace("k1", "i").replace("k2", "i"))] == [2]
    declared = "index k1 : K1\nindex k2 : K2\ninput z1[n,k1], z2[n,k2]\n"
    last = " + sum(n, k1, z1[n,k1]) + sum(n, k2, z2[n,k2])"
    assert forward_blocks(declared + text.rstrip() + last) == ()


def test_a_name_that_stands_for_two_ends_a_block():
    # The last lines have one shape too, but the second layer's adds what the first one's does.
    text = stacked(["tanh"] * 2).replace("y2[n,i] = q2[n,i] + y1[n,i]", "y2[n,i] = q2[n,i] + x[n,i]")
    (block,) = forward_blocks(text)
    assert block.given_back == ("q",)
    assert "y" not in block.names[0]


def test_lines_that_all_runs_need_stand_before_them():
    layer = (
        "param Q{l}[i,j]\n"
        "q{l}[n,m,i] = sum(j, Q{l}[i,j]*{x}[n,m,j])\n"
        "S{l}[n,m,k] = sum(i, q{l}[n,m,i]*{x}[n,k,i])/sqrt(size(i))\n"
        "X{l}[n,m,k] = where(k <= m, exp(S{l}[n,m,k]), 0)\n"
        "A{l}[n,m,k] = X{l}[n,m,k]/sum(k, X{l}[n,m,k])\n"
        "O{l}[n,m,i] = sum(k, A{l}[n,m,k]*{x}[n,k,i])\n"
        "v{l}[n,m,i] = tanh(O{l}[n,m,i] + q{l}[n,m,i])\n"
        "w{l}[n,m,i] = sigmoid(v{l}[n,m,i])*q{l}[n,m,i]\n"
        "y{l}[n,m,i] = {x}[n,m,i] + w{l}[n,m,i]\n"
    )
    text = "index n : N\nindex m, k : M\nindex i, j : I\ninput x[n,m,i]\n" + layer.format(l=1, x="x")
    text += layer.format(l=2, x="y1") + "loss E = sum(n, m, i, y2[n,m,i]^2)\n"
    found = blocks_of(lower_system(parse_system(text)))
    forward = segments_of(found.program).forward.statements
    for run in found.blocks[0].runs:
        start = next(place for place, line in enumerate(forward) if line is run[0])
        assert all(line is other for line, other in zip(run, forward[start:], strict=False))
    assert "k_up_to_m" in {line.name for line in forward[: forward.index(found.blocks[0].runs[0][0])]}
    assert {names["k_up_to_m"] for names in found.blocks[0].names} == {"k_up_to_m"}


def test_a_block_is_each_run_in_other_names():
    program = program_of(stacked(["tanh"] * 3))
    for block in blocks_of(program).blocks:
        for run, names in zip(block.runs, block.names, strict=True):
            for own, line in zip(block.lines, run, strict=True):
                assert shape_of(own) == shape_of(line)
                assert names_in(renamed_line(own, names)) == names_in(line)


def made_of_blocks(seed: int) -> tuple[list[Statement], set[str]]:
    """Sums and products of what stands so many lines before, in blocks that come again, some of them cut."""
    draw = random.Random(seed)
    (line,) = lower_system(parse_system("param w\ny = w\nloss E = y")).statements[:1]
    assert isinstance(line, Statement)
    operations = ("add", "multiply")
    kinds = [
        [(draw.choice(operations), (0, draw.choice((0, 1, 9)))) for _ in range(draw.randrange(3, 8))]
        for _ in range(2)
    ]
    names, lines = ["x"], []
    for _ in range(draw.randrange(2, 7)):
        kind = draw.choice(kinds)
        for operation, back in kind[: draw.choice((len(kind), len(kind), 3))]:
            read = tuple(Read(names[max(len(names) - 1 - each, 0)], ()) for each in back)
            names.append(f"n{len(names)}")
            lines.append(replace(line, name=names[-1], value=Elementwise(operation, read), opens=False))
    return lines, {name for name in names if draw.random() < 0.05}


def all_repeats(repeats: Repeats, taken: set[int]) -> Iterator[Repeat]:
    """Every repeat that begins with the longest run of two places, or later in a chain of such runs."""

    names, shapes = [*map(names_in, repeats.lines)], [*map(shape_of, repeats.lines)]

    def match(one: int, other: int, length: int) -> bool:
        first, second = range(one, one + length), range(other, other + length)
        if second.stop > len(shapes) or taken & {*first, *second}:
            return False
        pairs = {
            pair for a, b in zip(first, second, strict=True) for pair in zip(names[a], names[b], strict=True)
        }
        is_alike = all(shapes[a] == shapes[b] for a, b in zip(first, second, strict=True))
        return is_alike and len(pairs) == len(dict(pairs)) == len({right for _, right in pairs})

    places = range(len(shapes))
    for one in places:
        for other in places[one + 1 :]:
            common = next(n for n in places if not match(one, other, n + 1))
            longest = min(common, other - one)
            if not longest or (one and match(one - 1, other - 1, 2)):
                continue
            for start in range(one, one + common - longest + 1):
                starts = [start]
                for place in places[start + longest :]:
                    if place >= starts[-1] + longest and match(start, place, longest):
                        starts.append(place)
                yield Repeat(tuple(starts), longest)


def preference(repeats: Repeats, repeat: Repeat) -> tuple[int, int, tuple[int, ...], int]:
    """Each line is one operation."""
    net = repeats.named_by_calls(repeat) - (len(repeat.starts) - 1) * repeat.length
    return net, repeats.other_numbers(repeat), repeat.starts, repeat.length


@pytest.mark.parametrize("fewest", [2, 4])
def test_none_is_better_than_the_one_that_is_found(fewest: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symbackprop.passes.repeats.FEWEST_STATEMENTS", fewest)
    monkeypatch.setattr("symbackprop.passes.repeats.FEWEST_IN_CHAIN", fewest)
    number = 0
    for seed in range(60):
        lines, results = made_of_blocks(seed)
        repeats = Repeats(MatchingLines(Descriptions().of(lines)), results)
        taken: set[int] = set()
        expected: list[Repeat] = []
        while True:
            worth = [
                repeat
                for repeat in all_repeats(repeats, taken)
                if len(repeat.starts) > 1
                and repeat.length >= fewest
                and not repeats.is_made_of_equal_runs(repeat.starts[0], repeat.length)
                and repeats.is_worth_a_function(repeat)
            ]
            if not worth:
                break
            best = min(worth, key=lambda repeat: preference(repeats, repeat))
            expected.append(best)
            taken |= {place for run in best.runs for place in run}
        assert list(repeats.found) == sorted(expected, key=lambda repeat: repeat.starts)
        number += len(expected)
    assert number > 10


def test_two_and_two_point_nought_are_not_one_number():
    (line,) = lower_system(parse_system("param w\ny = w\nloss E = y")).statements[:1]
    assert isinstance(line, Statement)
    lines = [replace(line, value=Literal(number)) for number in (2, 2, 2.0)]
    for of in (shape_of, line_outline):
        whole, same, decimal = map(of, lines)
        assert whole == same != decimal


STACK = """
index b : B
index i, j : D
input x[b,i]
param W1[j,i], W2[j,i], g1[j], g2[j]
u1[b,j] = sum(i, W1[j,i]*x[b,i]) + g1[j]
z1[b,j] = tanh(u1[b,j])*u1[b,j]
u2[b,j] = {second}
z2[b,j] = tanh(u2[b,j])*u2[b,j]
loss E = sum(b, j, z2[b,j]^2)
"""


@pytest.mark.parametrize(
    ("second", "unlike"),
    [
        ("sum(i, W2[j,i]*z1[b,i]) + g2[j]", []),
        ("g2[j] + sum(i, W2[j,i]*z1[b,i])", ["u2"]),  # equal, and written otherwise
        ("sum(i, W2[i,j]*z1[b,i]) + g2[j]", ["u2"]),
    ],
)
def test_lines_of_one_outline_have_one_shape(second: str, unlike: Sequence[str]):
    program = lower_system(parse_system(STACK.format(second=second)))
    lines = [program.by_name[name] for name in ("u1", "z1", "u2", "z2")]
    outlines = [line_outline(line) for line in lines]
    for one, other in itertools.combinations(range(4), 2):
        assert outlines[one] != outlines[other] or shape_of(lines[one]) == shape_of(lines[other])
    assert [line.name for line in unlike_lines(lines)] == ["u1", "z1", *unlike]


@pytest.mark.parametrize(
    ("columns", "known", "taken", "own"),
    [
        ([("Wq1", "Wq2"), ("A1_masked", "A2_masked")], {}, (), ("Wq", "A_masked")),
        ([("mu1", "mu3"), ("mu2", "mu4"), ("u1", "u2")], {}, (), ("mu1", "mu2", "u")),
        ([("enc_W", "dec_W"), ("b", "b")], {}, (), ("W", "b")),
        ([("x", "y1"), ("y1", "y2")], {}, (), ("x", "y")),
        ([("u1", "u2"), ("u", "u")], {}, (), ("u1", "u")),  # u is taken by what all runs share
        ([("u1", "u2")], {}, ("u",), ("u1",)),
        ([("a1", "a2"), ("b1", "b2")], {"a1": "c"}, (), ("c", "b")),
        ([("a1", "a2"), ("b1", "b2")], {"a1": "b1", "b1": "b1"}, (), ("a1", "b1")),  # not both
        ([("1_a", "2_b"), ("a_1", "b_1")], {}, (), ("1_a", "a_1")),  # nothing that is a name is left
    ],
)
def test_own_names(
    columns: list[tuple[str, str]], known: dict[str, str], taken: tuple[str, ...], own: object
):
    assert own_names(columns, 0, known, taken) == own


def test_numbers_in_names_count():
    assert in_order_of_names([["u10", "a"], ["u9", "a"], ["u", "b"]]) == [2, 1, 0]
