"""Where a tensor is read: indices, affine positions, lookups, and the words that belong to them."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.integers.bounds import is_longer
from symbackprop.integers.guards import padded
from symbackprop.integers.integer_valued import with_whole_floors
from symbackprop.integers.linear import divided, floor_quotient, linear_form
from symbackprop.integers.recognition import is_integer, is_ratio
from symbackprop.integers.whole_definitions import with_definitions
from symbackprop.language.calls import Form, Reader, expect_arguments
from symbackprop.language.names import Surroundings, bare_word, packed_position
from symbackprop.language.scope import Scope, as_given, counted, here, integer_tensors, may_be_no_integer
from symbackprop.languages.phrases import Message, marked, worded
from symbackprop.notation.arithmetic import multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Apply,
    Axis,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.syntax.nodes import Call, Formula, Packed, Reference, Word
from symbackprop.systems.system import Tensor


def is_tensor(word: Word, surroundings: Surroundings, scope: Scope) -> bool:
    """Whether a word names a tensor here: a parameter or function of that name would hide it."""
    return word.text in scope.tensors and word.text not in surroundings.parameters


def element(reference: Reference, surroundings: Surroundings, reader: Reader) -> Element:
    """A tensor at its positions, each an integer expression; NotationError where one does not fit."""
    scope = reader.scope
    tensor = scope.tensors[reference.word.text]
    written = reference.positions or ()
    if len(written) != len(tensor.indices):
        if not tensor.indices:
            raise scope.error(
                worded("'{tensor}' is a scalar and has no positions", tensor=tensor.name),
                reference.span,
                worded("write {tensor}", tensor=tensor.name),
            )
        raise scope.error(
            worded(
                "'{tensor}' has {counted}, {here}",
                tensor=tensor.name,
                counted=counted(
                    len(tensor.indices), marked("{number} position"), marked("{number} positions")
                ),
                here=here(len(written)),
            ),
            reference.span,
            worded("it was given as {given}", given=as_given(tensor)),
        )
    positions = []
    for number, (formula, own) in enumerate(zip(written, tensor.indices, strict=True), start=1):
        if isinstance(formula, Packed):
            positions.append(packed_position(formula, own, surroundings, scope))
            continue
        position = _position(formula, tensor, surroundings, reader)
        _expect_axis(position, own, number, tensor, formula, scope)
        positions.append(position)
    return Element(tensor.name, tuple(positions), tensor.element.values)


def named_first(call: Call, value: Expression, scope: Scope) -> Message | None:
    """The remedy for softmax(k, u[n,k])[y[n]]: name it p[n,k], read p[n,y[n]]; None where it has no index."""
    places = [scope.source.place(span) for span in (call.span, *(each.span for each in call.positions or ()))]
    whole, *positions = [place.text[place.column - 1 : place.column - 1 + place.length] for place in places]
    free = value.free_indices
    indices = dict.fromkeys(each.name for each in value.walk() if isinstance(each, Index) and each in free)
    if not indices or call.span.end_line > call.span.line:
        return None
    named = whole[: places[1].column - places[0].column].rstrip("[ ")
    over = bare_word(call.arguments[0])
    if len(positions) == 1 and over is not None and over.text in indices:
        positions = [positions[0] if name == over.text else name for name in indices]
    name = numbered_name("p", scope.first_uses)
    equation = f"{name}[{','.join(indices)}] = {named}"
    if len(positions) != len(indices):
        return worded("name it by an equation of its own, {equation}", equation=equation)
    read = f"{name}[{','.join(positions)}]"
    return worded(
        "name it by an equation of its own, {equation}, and read {read}", equation=equation, read=read
    )


def _position(formula: Formula, tensor: Tensor, surroundings: Surroundings, reader: Reader) -> Expression:
    word = bare_word(formula)
    if word is not None and word.text in surroundings.parameters - surroundings.local_values.keys():
        raise reader.scope.error(
            worded(
                "the parameter '{word}' is a value and cannot be a position of '{tensor}'",
                word=word.text,
                tensor=tensor.name,
            ),
            word.span,
            worded("pass the element itself as an argument"),
        )
    if word is not None and not (word.text in surroundings.local_values or reader.scope.is_known(word.text)):
        raise reader.scope.unknown("index", word, reader.scope.indices)
    return integer(formula, surroundings, reader, worded("a position of '{tensor}'", tensor=tensor.name))


def integer(formula: Formula, surroundings: Surroundings, reader: Reader, what: Message) -> Expression:
    """A formula that is a whole number for all values of its indices; NotationError where it may not be."""
    value = reader.scope.with_definitions(reader.value(formula, surroundings))
    whole = _whole(value, reader.scope)
    if whole is None:
        raise may_be_no_integer(value, formula.span, reader.scope, what)
    return whole


def _whole(value: Expression, scope: Scope) -> Expression | None:
    return with_whole_floors(value, integer_tensors(value, scope))


def _expect_axis(
    position: Expression, own: Index, number: int, tensor: Tensor, formula: Formula, scope: Scope
) -> None:
    """A plain index, or an integer tensor, must be of the axis that is read, an index or of a related one."""
    axis = axis_of(position, scope)
    is_arithmetic = isinstance(position, Index) and bare_word(formula) is None
    if axis is None or axis == own.axis or is_arithmetic:
        return
    if not isinstance(position, Reduction) and is_longer(axis, own.axis) is not None:
        return  # a position like any other: whether it lies inside is seen with the conditions around it
    if isinstance(position, Index):
        found = worded("'{index}' is an index over axis {axis}", index=position.name, axis=axis.name)
    elif isinstance(position, Reduction):
        found = worded(
            "the position of an extremum over '{index}' is one on axis {axis}",
            index=position.indices[0].name,
            axis=axis.name,
        )
    else:
        assert isinstance(position, Element)
        found = worded("the values of '{tensor}' index axis {axis}", tensor=position.tensor, axis=axis.name)
    raise scope.error(
        worded(
            "axis clash in '{tensor}': position {number} runs over axis {axis}, but {found}",
            tensor=tensor.name,
            number=number,
            axis=own.axis.name,
            found=found,
        ),
        formula.span,
        worded(
            "it was given as {given}; write an index over {axis}, such as '{index}', {relating}",
            given=as_given(tensor),
            axis=own.axis.name,
            index=own.axis.label,
            relating=_relating(own.axis, axis, scope),
        ),
    )


def _relating(axis: Axis, other: Axis, scope: Scope) -> Message:
    """How to say that an axis is at least as long as another."""
    stated = next((each.text for each in scope.relations if each.axis.name == axis.name), None)
    if stated is not None:
        return worded(
            "or relate the sizes: {stated} does not say that it has as many places as {other}",
            stated=stated,
            other=other.name,
        )
    more = 1 if axis.size is None or other.size is None else axis.size - other.size
    if more < 0:
        return worded("for {axis} has fewer places than {other}", axis=axis.name, other=other.name)
    related = f"{other.name} + {more}" if more else other.name
    return worded(
        "or relate the sizes: {declaration}", declaration=f"index {axis.label} : {axis.name} = {related}"
    )


def axis_of(position: Expression, scope: Scope) -> Axis | None:
    """The axis that a position belongs to; None for index arithmetic, which may read any."""
    match position:
        case Index(_, axis) | Reduction("argmax", (Index(_, axis),)):
            return axis
    return scope.tensors[position.tensor].values if isinstance(position, Element) else None


def _delta(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    usage = worded("write delta(i, j) with two indices over one axis")
    expect_arguments(call, 2, reader.scope, usage)
    for argument in call.arguments:
        word = bare_word(argument)
        if word is not None and word.text in surroundings.parameters:
            remedy = worded("of a function's parameters write where(a == b, 1, 0)")
            raise reader.scope.error(worded("delta(...) takes two indices"), argument.span, remedy)
    left, right = (
        integer(each, surroundings, reader, worded("each side of a delta")) for each in call.arguments
    )
    numbers = [linear_form(side) for side in (left, right)]
    if not any(number.coefficients for number in numbers):
        return Number(numbers[0] == numbers[1])
    axes = [axis_of(side, reader.scope) for side in (left, right)]
    first, second = axes
    if first and second and first != second and is_longer(first, second) is None:
        raise reader.scope.error(
            worded(
                "axis clash in delta({left}, {right}): '{left}' runs over axis {first}, '{right}' over axis "
                "{second}",
                left=_name_of(left),
                right=_name_of(right),
                first=first.name,
                second=second.name,
            ),
            call.span,
            worded("a delta compares two indices over one axis"),
        )
    if axes == [None, None] and not reader.scope.is_printed:
        raise reader.scope.error(worded("a delta needs a plain index on one side"), call.span, usage)
    return Delta(left, right)


def _name_of(side: Expression) -> str:
    match side:
        case Index(name, _) | Element(name):
            return name
        case Reduction(kind, _, _):
            return f"{kind}(...)"
    return "..."


def _pad(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    usage = worded("write pad(x[i+1]): the element, or 0 where it lies outside")
    expect_arguments(call, 1, reader.scope, usage)
    (argument,) = call.arguments
    if not isinstance(argument, Reference) or not is_tensor(argument.word, surroundings, reader.scope):
        raise reader.scope.error(worded("pad(...) takes an element of a tensor"), argument.span, usage)
    read = element(argument, surroundings, reader)
    return padded(read, [index.axis for index in reader.scope.tensors[read.tensor].indices])


def _floor(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    argument, tensors = _rounded(call, surroundings, reader)
    below = _floor_of(argument, tensors)
    return Apply("floor_of_real", (argument,)) if below is None else below


def _ceil(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    argument, tensors = _rounded(call, surroundings, reader)
    below = _floor_of(negate(argument), tensors)
    return Apply("ceil", (argument,)) if below is None else negate(below)


def _rounded(call: Call, surroundings: Surroundings, reader: Reader) -> tuple[Expression, frozenset[str]]:
    """The only argument, and the integer tensors in it."""
    expect_arguments(call, 1, reader.scope, worded("write {call}", call=f"{call.word.text}(u)"))
    argument = reader.value(call.arguments[0], surroundings)
    whole = with_definitions(argument, reader.scope.whole_definitions)
    if is_ratio(whole, integer_tensors(whole, reader.scope)):
        argument = reader.scope.with_definitions(argument)
    return argument, integer_tensors(argument, reader.scope)


def _floor_of(argument: Expression, tensors: frozenset[str]) -> Expression | None:
    """The floor of integers and their ratios, exactly; None of any other number, which is rounded."""
    if not is_ratio(argument, tensors):
        return None
    whole = linear_form(argument).expression()
    return whole if is_integer(whole, tensors) else floor_quotient(*divided(argument))


def _mod(call: Call, surroundings: Surroundings, reader: Reader) -> Expression:
    expect_arguments(call, 2, reader.scope, worded("write mod(q, 2): the remainder of q divided by 2"))
    values = [reader.value(each, surroundings) for each in call.arguments]
    wholes = [_whole(reader.scope.with_definitions(value), reader.scope) for value in values]
    sides = [whole for whole in wholes if whole is not None]
    if len(sides) < len(wholes):  # of real numbers: an angle is brought back to one turn
        turns = Apply("floor_of_real", (multiply(values[0], power(values[1], MINUS_ONE)),))
        return subtract(values[0], multiply(values[1], turns))
    match sides:
        case [_, Number(divisor)] if divisor == 0:
            remedy = worded("divide by a number that is not 0")
            raise reader.scope.error(worded("a remainder by 0 has no value"), call.arguments[1].span, remedy)
        case [number, Number(divisor)] if divisor < 0:
            return negate(Apply("mod", (negate(number), Number(-divisor))))
    return Apply("mod", tuple(sides))


POSITION_FORMS: Mapping[str, Form] = {
    "delta": _delta,
    "pad": _pad,
    "floor": _floor,
    "ceil": _ceil,
    "mod": _mod,
}
