"""Which of the runs of lines that are equal but for names become a function, and where they are cut."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.passes.blocks import Block, blocks_of
from tests.programs import lower_system

HEAD = "index n : N\nindex i : I\ninput x[n,i]\ntarget d[n,i]\n"


def forward_blocks(text: str) -> tuple[Block, ...]:
    return blocks_of(lower_system(parse_system(text))).blocks


# Eight lines of one operation each, and one that is worth more than two of them.
SHORT_AND_LONG = (
    "a{l}[n,i] = tanh({x}[n,i])\n"
    "b{l}[n,i] = sin(a{l}[n,i])\n"
    "c{l}[n,i] = exp(b{l}[n,i])\n"
    "e{l}[n,i] = cos(c{l}[n,i])\n"
    "f{l}[n,i] = a{l}[n,i]*e{l}[n,i]\n"
    "g{l}[n,i] = f{l}[n,i] + c{l}[n,i]\n"
    "h{l}[n,i] = g{l}[n,i]*b{l}[n,i]\n"
    "k{l}[n,i] = sigmoid(h{l}[n,i])\n"
    "y{l}[n,i] = {long}\n"
)


@pytest.mark.parametrize(
    ("long", "length", "runs"),
    [
        ("k{l}[n,i]*(k{l}[n,i] - b{l}[n,i])*sin(k{l}[n,i]) + tan(k{l}[n,i] + e{l}[n,i])", 9, 3),
        ("3*k{l}[n,i]", 8, 4),
    ],
)
def test_operations_count_not_statements(long: str, length: int, runs: int):
    """The last layer ends otherwise: shorter runs come once more."""
    layers = [
        SHORT_AND_LONG.format(l=number, x=f"y{number - 1}" if number > 1 else "x", long=long.format(l=number))
        for number in (1, 2, 3, 4)
    ]
    last = layers[3].replace(f"y4[n,i] = {long.format(l=4)}", "y4[n,i] = log(2 + k4[n,i]^2)")
    text = HEAD + "".join(layers[:3]) + last + "loss E = sum(n, i, (y4[n,i] - d[n,i])^2)\n"
    (block,) = forward_blocks(text)
    assert (len(block.lines), len(block.runs)) == (length, runs)


@pytest.mark.parametrize("before", [0, 3, 6])
def test_a_chain_is_cut_where_its_numbers_are(before: int):
    """Where it could be cut at each line, and the first of its lines are not there or others."""
    steps = ("tanh", "sin", "cos", "exp", "sigmoid", "atan", "sinh", "log", "erf")
    lines, given = [], "x"
    for layer in range(1, 5):
        for place, function in enumerate(steps):
            if layer > 1 or place >= before:
                lines.append(f"{'abcefghky'[place]}{layer}[n,i] = {function}({given}[n,i])\n")
                given = f"{'abcefghky'[place]}{layer}"
    text = f"{HEAD}{''.join(lines)}loss E = sum(n, i, ({given}[n,i] - d[n,i])^2)\n"
    (block,) = forward_blocks(text)
    defined = [[line.written[0] for line in run] for run in block.runs]
    assert [(names[0], names[-1]) for names in defined] == [
        (f"a{layer}", f"y{layer}") for layer in range(2 if before else 1, 5)
    ]


STACK_HEAD = "index n : N\nindex i : I\nindex k : K\ninput x0[n,i]\ntarget d[n,i]\n"
NORM_AND_MAPS = (
    "param g{l}[i], A{l}[k,i], a{l}[k], B{l}[i,k]\n"
    "m{l}[n] = mean(i, x{b}[n,i])\n"
    "v{l}[n] = mean(i, (x{b}[n,i] - m{l}[n])^2)\n"
    "h{l}[n,i] = g{l}[i]*(x{b}[n,i] - m{l}[n])/sqrt(v{l}[n] + 1/1000)\n"
    "u{l}[n,k] = sum(i, A{l}[k,i]*h{l}[n,i]) + a{l}[k]\n"
    "z{l}[n,k] = tanh(u{l}[n,k])\n"
    "x{l}[n,i] = x{b}[n,i] + sum(k, B{l}[i,k]*z{l}[n,k])\n"
)


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_nothing_of_a_stack_stands_beside_its_calls_on_the_way_forward(layers: int):
    """Its first norm, too, whose input is data, is computed as the others are."""
    stack = [NORM_AND_MAPS.format(l=layer, b=layer - 1) for layer in range(1, layers + 1)]
    text = f"{STACK_HEAD}{''.join(stack)}loss E = 1/2*sum(n, i, (x{layers}[n,i] - d[n,i])^2)\n"
    program = lower(derive(parse_system(text)))
    forward = next(block for block in blocks_of(program).blocks if not block.way_back)
    assert len(forward.runs) == layers
    assert [line for run in forward.runs for line in run] == list(
        program.statements[: layers * len(forward.lines)]
    )
    assert program.statements[layers * len(forward.lines) - 1].written == (f"x{layers}",)
