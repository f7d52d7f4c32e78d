"""A planted fault is located by the link of its statement, and the right equation is named."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from symbackprop.array.ir import Elementwise, Literal
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Allocate
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import MismatchError
from symbackprop.lowering.programs import lower
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.printing import equation_text
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.verification.checked_module import under_check
from symbackprop.verification.locating import line_raising, lines_for, writers
from tests.targets.numpy.test_origins import read
from tests.verification.on_numpy import verification_of

MODELS = ("seed", "lstm", "window", "largest in a window", "exercise")


def with_fault(lines: tuple[Line, ...], wrong: Statement | Store) -> tuple[Line, ...]:
    """The lines, with 3/2 of what one of them computes."""
    return tuple(
        replace(line, body=with_fault(line.body, wrong))
        if isinstance(line, Loop)
        else replace(line, value=Elementwise("multiply", (Literal(1.5), line.value)))
        if line is wrong
        else line
        for line in lines
    )


def faults(program: Program) -> list[Statement | Store]:
    """A few statements, from the first to the last, that compute real numbers for results."""
    ends = (*program.outputs, str(program.loss), *program.gradients.values())
    lines = [
        line
        for line in statements_in(program.needed_for(ends))
        if line.value.kind is Kind.REAL and line.origin.stated.tensor == line.name
        if set(line.reads) - {line.name}  # no start of a sum
    ]
    return lines[:: max(len(lines) // 5, 1)]


@pytest.mark.parametrize("name", MODELS)
def test_a_planted_fault_names_its_equation(name: str) -> None:
    derivation = derive(read(name))
    program = lower(derivation)
    stored = {name for line in program.statements for name in line.written}
    for wrong in faults(program):
        if wrong.origin.source.tensor != wrong.name:
            continue
        faulty = replace(program, statements=with_fault(program.statements, wrong))
        with pytest.raises(MismatchError) as caught:
            verification_of(derivation, numpy_module(faulty).printed())
        said = re.search("equation: (.*)", str(caught.value))
        named = {equation_text(wrong.origin.source)}
        if wrong.name not in stored:  # a loop forgets it: what reads it is seen
            equations = (*derivation.system.equations, *derivation.equations)
            named |= {equation_text(each) for each in equations if wrong.name in each.reads}
        assert said is not None and said[1] in named, wrong.name
        assert "statement: " in str(caught.value)


def test_a_fault_in_a_temporary_names_the_equation_that_it_is_part_of() -> None:
    derivation = derive(read("largest in a window"))
    module = numpy_module(lower(derivation)).printed()
    temporaries = [
        line
        for line in statements_in(module.program.statements)
        if line.origin.stated.tensor != line.origin.source.tensor and module.code_of(line)
    ]
    assert temporaries
    for line in temporaries:
        assert equation_text(line.origin.source) in {
            equation_text(each) for each in (*derivation.system.equations, *derivation.equations)
        }


def test_what_raises_is_found_by_its_line() -> None:
    module = numpy_module(lower(derive(read("seed")))).printed()
    wrong = replace(module, text=module.text.replace("u2 = z1 @", "u2 = 0 @ z1 @"))
    checked = under_check(load_module(wrong.text, "seed"))
    shapes = {"x": (2, 3), "d": (2, 5), "W1": (4, 3), "b1": (4,), "W2": (5, 4), "b2": (5,)}
    with pytest.raises(Exception, match="matmul") as caught:
        checked.value_and_grad({tensor: np.ones(shape) for tensor, shape in shapes.items()})
    line = line_raising(caught.value.__cause__ or caught.value, checked, wrong)
    assert line is not None and line.origin.source.tensor == "u2"
    assert line_raising(ValueError(), checked, wrong) is None


def test_the_statement_of_an_array_is_the_one_that_fills_it() -> None:
    program = lower(derive(read("lstm")))
    (loop, *_) = (line for line in program.statements if isinstance(line, Loop))
    for name in loop.written:
        first, *_, last = writers(program, name)
        assert isinstance(first, Store) and isinstance(last.value, Allocate)
        assert first.origin.part is not Part.EQUATION or lines_for(program, name)[0] is first
    assert lines_for(program, "no such tensor") == ()
