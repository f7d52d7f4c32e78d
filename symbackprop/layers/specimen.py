"""A layer or loss as a model of its own, in the names of its file: for the catalogue's page and for tests.

Options that have to be given get small values, or the axis that they are the size of; a layer's output is
followed by `loss E = sum(..., ybar*y)`, so that ybar is what comes back to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symbackprop.language.model import parse_system
from symbackprop.layers.catalogue_lookup import chosen_options
from symbackprop.layers.instance import Instance, index_names, instantiated
from symbackprop.layers.layer_file import LayerFormula
from symbackprop.layers.network import OptionValue
from symbackprop.layers.options import OPTION_TYPES
from symbackprop.layers.size_values import size_value
from symbackprop.syntax.nodes import AxisDeclaration, Factors, Reference, Terms
from symbackprop.systems.system import Role, System

_VALUES: Mapping[str, OptionValue] = {"size": 3, "count": 1, "number": 0.5, "function": "tanh"}
# The last axes of an input where sizes are computed: 6 channels can be dealt out to 3 groups, 9 by 6
# places to squares of 3. The first that fit are taken.
_INPUT_SIZES = ((6, 9, 8), (9, 9, 6))


def specimen_options(formula: LayerFormula) -> dict[str, OptionValue]:
    """Values for the options that have to be given."""
    required = [option for option in formula.options if option.is_required]
    words = {id(option_type): word for word, option_type in OPTION_TYPES.items()}
    # An axis that an option is the size of is found by the option's name, as if that were an axis.
    found = {each.name: _VALUES.get(words[id(each.type)], each.name) for each in required}
    axes = instantiated(formula, chosen_options(formula, found, ())).axes
    axis_of = {each.size.word.text: each.axis.text for each in axes if isinstance(each.size, Reference)}
    return {name: axis_of.get(name, value) for name, value in found.items()}


def specimen(formula: LayerFormula) -> System:
    """The model; its loss is the formula's own, or the sum of ybar*y."""
    options = chosen_options(formula, specimen_options(formula), ())
    instance = instantiated(formula, options)
    axes = [f"index {formula.rest} : N", *_axes(instance)]
    others = [text for statement, text in instance.written if not isinstance(statement, AxisDeclaration)]
    loss = [] if instance.loss is not None else _loss(instance)
    return parse_system("\n".join([*axes, *others, *loss]) + "\n", formula.kind)


def specimen_gradients(system: System) -> list[str]:
    """What a specimen is differentiated by: its parameters, and its input where that is not whole numbers."""
    inputs = system.with_role(Role.INPUT)[:1]
    tensors = (*system.with_role(Role.PARAMETER), *inputs)
    return [tensor.name for tensor in tensors if tensor.values is None]


def _axes(instance: Instance) -> Iterator[str]:
    for declaration, size in zip(instance.axes, _sizes(instance), strict=True):
        names = ", ".join(word.text for word in declaration.indices)
        yield f"index {names} : {declaration.axis.text}" + ("" if size is None else f" = {size}")


def _sizes(instance: Instance) -> tuple[Fraction | None, ...]:
    """The size of each axis, None where nothing is computed; the last that were tried where none fit."""
    computed = any(isinstance(each.size, Terms | Factors) for each in instance.axes)
    found: tuple[Fraction | None, ...] = ()
    for tried in _INPUT_SIZES if computed else ((),):
        found = tuple(_sizes_behind(instance, tried))
        if all(size is None or (size.denominator == 1 and size > 0) for size in found):
            break
    return found


def _sizes_behind(instance: Instance, given: tuple[int, ...]) -> Iterator[Fraction | None]:
    sizes: dict[str, Fraction | None] = {
        name: Fraction(size) for name, size in zip(instance.fixed_input, given, strict=False)
    }
    for declaration in instance.axes:
        names = [word.text for word in declaration.indices]
        if declaration.size is not None and not isinstance(declaration.size, Reference):
            sizes[names[0]] = size_value(declaration.size, sizes)
        yield next((sizes[name] for name in names if name in sizes), None)


def _loss(instance: Instance) -> tuple[str, str]:
    name, indices = instance.output.word.text, index_names(instance.output)
    positions = f"[{','.join(indices)}]"
    total = f"sum({', '.join(indices)}, {name}bar{positions}*{name}{positions})"
    return f"const {name}bar{positions}", f"loss E = {total}"
