"""What a statement may lack, as arrays that a change may read: local derivatives, terms, adjoints.

A local derivative f'(u) is that of an equation z = f(u), element by element, in closed form.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.auditing.sites import Injected, Proposal, Site
from symbackprop.auditing.syntax_parts import elementwise, names_in, text_of
from symbackprop.auditing.terms import Expansion, without_deltas
from symbackprop.auditing.trial import Trial
from symbackprop.functions.record import NumpyCall
from symbackprop.functions.table import FUNCTIONS
from symbackprop.handwritten.agreement import agrees, has_numbers_of
from symbackprop.languages.phrases import marked, worded
from symbackprop.notation.expressions import Add, Comparison, Expression, Index, Number
from symbackprop.systems.printing import text

Array: TypeAlias = NDArray[Any]

MOST_TERMS = 8
# What NumPy calls by the name that a closed form has.
OF_NUMPY = {"sqrt", "where", "abs"} | {
    name for name, record in FUNCTIONS.items() if record.numpy == NumpyCall(f"np.{name}({{}})")
}
DERIVATIVE, FACTOR = "derivative", "factor"
_CALLED = {DERIVATIVE: marked("derivative {formula}"), FACTOR: marked("factor {formula}")}
_IN_THE_MODELS_NAMES = marked("add what is, in the model's names, {term}")
POWERS = ((1.0, "{}"), (-1.0, "1/{}"), (0.5, "sqrt({})"), (-0.5, "1/sqrt({})"))
NUMBERS = ((2.0, "2"), (0.5, "1/2"), (4.0, "4"), (0.25, "1/4"))


@dataclass(frozen=True)
class Arsenal:
    """The arrays of a trial's derivation, in the layout of the code."""

    trial: Trial

    @cached_property
    def adjoints(self) -> list[Injected]:
        """dE/dt of every tensor, with its closed form."""
        found: list[Injected] = []
        for place, adjoint in enumerate(self.trial.expectations.derivation.adjoints):
            equation = adjoint.equation
            shown = f"{text(adjoint.total)} = {text(equation.expression)}"
            arrays = [np.asarray(draw.adjoints[adjoint.tensor]) for draw in self.trial.expectations.draws]
            found.append(self._injected(f"_adjoint_{place}", adjoint.tensor, arrays, shown))
        return found

    @cached_property
    def local_derivatives(self) -> list[Injected]:
        """f'(u) of every equation z = f(u) that works element by element."""
        found: dict[str, Injected] = {}
        for adjoint in self.trial.expectations.derivation.adjoints:
            for factor in adjoint.factors:
                rest = without_deltas(factor.value)
                indices = tuple(
                    [each for each in adjoint.total.denominator.positions if isinstance(each, Index)]
                )
                if rest is None or not rest.tensors or rest.free_indices != frozenset(indices):
                    continue
                shown = text(rest)
                name = f"_local_{len(found)}"
                arrays = self._evaluated(rest, indices)
                kind = DERIVATIVE if rest.tensors <= {factor.consumer.tensor, factor.tensor} else FACTOR
                found.setdefault(shown, self._injected(name, factor.tensor, arrays, shown, kind))
        return list(found.values())

    @cached_property
    def terms(self) -> list[Injected]:
        """The terms of each adjoint that has several, multiplied out and as printed, each with its sign."""
        expectations = self.trial.expectations
        equations = {each.equation.tensor: each.equation for each in expectations.derivation.adjoints}
        expansion = Expansion(expectations.system, equations)
        found: list[Injected] = []
        for tensor, adjoint in expectations.adjoints.items():
            closed = adjoint.equation.expression
            printed = closed.terms if isinstance(closed, Add) else ()
            for terms in (expansion.terms(closed), printed):
                shown = {text(expansion.tidied(term)): term for term in terms}
                if 1 < len(shown) <= MOST_TERMS:
                    for said, term in shown.items():
                        arrays = self._evaluated(term, adjoint.equation.indices)
                        found.append(self._injected(f"_term_{len(found)}", tensor, arrays, said))
        return found

    @cached_property
    def numbers(self) -> list[str]:
        """The decimal numbers of the model and of its closed forms, as code: 1e-05."""
        sizes = (abs(float(node.value)) for each in self._formulas for node in _numbers_in(each))
        return list(dict.fromkeys(repr(size) for size in sizes if size != int(size)))

    @cached_property
    def bounds(self) -> list[str]:
        """The numbers with which the closed forms compare something, as code: -1."""
        compared = (node for each in self._formulas for node in each.walk() if isinstance(node, Comparison))
        return list(
            dict.fromkeys(f"{float(each.value):g}" for node in compared for each in _numbers_in(node))
        )

    @cached_property
    def _formulas(self) -> list[Expression]:
        expectations = self.trial.expectations
        closed = [each.equation for each in expectations.derivation.adjoints]
        return [each.expression for each in (*expectations.system.equations, *closed)]

    @cached_property
    def scalars(self) -> list[Injected]:
        """Numbers, sizes and their reciprocals."""
        draws = self.trial.expectations.draws
        found = [
            Injected(f"_number_{place}", (np.asarray(number),) * len(draws), shown)
            for place, (number, shown) in enumerate(NUMBERS)
        ]
        for place, axis in enumerate(draws[0].sizes):
            for power, shown in POWERS:
                arrays = tuple([np.asarray(float(draw.sizes[axis]) ** power) for draw in draws])
                name = f"_size_{place}_{int(2 * power) + 2}"
                found.append(Injected(name, arrays, shown.format(axis)))
        return found

    @cached_property
    def forward(self) -> list[Injected]:
        """The tensors of the forward pass that have axes."""
        draws, named = self.trial.expectations.draws, self.trial.expectations.system.tensors
        return [
            self._injected(
                f"_tensor_{place}",
                name,
                [np.asarray(draw.known[name]) for draw in draws],
                f"{name}[{','.join(index.name for index in tensor.indices)}]",
            )
            for place, (name, tensor) in enumerate(named.items())
            if tensor.indices and name in draws[0].known
        ]

    def not_at_hand(self, site: Site) -> list[Injected]:
        """The tensors of the forward pass that no variable around a statement holds."""
        return [each for each in self.forward if not self.called(each.tensor, site)]

    def _evaluated(self, expression: Expression, indices: tuple[Index, ...]) -> list[Array]:
        expectations = self.trial.expectations
        return [expectations.evaluated(expression, indices, draw) for draw in expectations.draws]

    def _injected(
        self, name: str, tensor: str, arrays: Sequence[Array], shown: str, kind: str = ""
    ) -> Injected:
        laid = tuple([self.trial.layout.array(tensor, array) for array in arrays])
        return Injected(name, laid, shown, tensor, kind)

    def matches(self, array: Array) -> list[Injected]:
        """The adjoints that an array on the first draw is, up to transposition."""
        return [
            each
            for each in self.adjoints
            if any(agrees(array, other, 0.0) for other in (each.arrays[0], each.arrays[0].T))
            and np.any(array)
        ]

    def called(self, tensor: str, site: Site) -> str:
        """What the code calls a tensor of the forward pass around a statement; "" for nothing."""
        known = self.trial.expectations.draws[0].known
        if tensor not in known:
            return ""
        own = self.trial.layout.array(tensor, np.asarray(known[tensor]))
        found = [name for name, array in site.values.items() if agrees(array, own, 0.0)]
        return min(found, key=lambda name: (name != tensor, len(name)), default="")

    def is_forward(self, array: Array) -> bool:
        """Whether an array on the first draw is a forward tensor, up to sign and the order of its numbers."""
        known = map(np.asarray, self.trial.expectations.draws[0].known.values())
        return any(has_numbers_of(array, own) or has_numbers_of(array, -own) for own in known)

    def is_data(self, array: Array) -> bool:
        """Whether an array on the first draw is data of the model, its numbers in any order."""
        given = self.trial.expectations.draws[0].values.values()
        return any(has_numbers_of(array, np.asarray(own)) for own in given)


def _numbers_in(formula: Expression) -> Iterator[Number]:
    return (node for node in formula.walk() if isinstance(node, Number))


def _readings(injected: Injected, site: Site) -> Iterator[ast.expr]:
    """The array as it fits the statement's shape: itself, transposed, or at the step of a loop around it."""
    shape, own = site.shape, injected.arrays[0].shape
    if shape == own:
        yield ast.Name(injected.name, ast.Load())
    elif shape == own[::-1]:
        yield ast.Attribute(ast.Name(injected.name, ast.Load()), "T", ast.Load())
    elif shape is not None and (len(own) == len(shape) + 1 or (len(own) == len(shape) and shape[-1] == 1)):
        for place in range(len(own)):
            if own[:place] + own[place + 1 :] in (shape, shape[:-1]):
                for variable in site.loops:
                    before = ":, " * place
                    # A vector may be a column in the code's loop.
                    column = "" if own[:place] + own[place + 1 :] == shape else "[..., None]"
                    yield ast.parse(f"{injected.name}[{before}{variable}]{column}", mode="eval").body


def missing_derivative(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """f' is missing, or something else stands in its place: one factor of the product, or two neighbours."""
    for local in arsenal.local_derivatives:
        for reading in _readings(local, site):
            code = in_their_names(local.text, site, arsenal)
            shown = code or local.text
            called = worded(_CALLED[local.kind], formula=shown)
            instead = worded("put {formula} in its place", formula=shown)
            if site.shape is not None:
                product = ast.BinOp(site.value, ast.Mult(), reading)
                sentence = worded("{what} misses the {shown}", what=site.said_value, shown=called)
                remedy = worded("multiply {what} by {factor}", what=site.said_value, factor=shown)
                yield Proposal(
                    site.value, product, f"missing {local.kind}", sentence, (local,), remedy, 1, code
                )
            for node, new, wrong in _factors(site.value, reading):
                sentence = worded("{wrong} is not the model's {shown}", wrong=wrong, shown=called)
                yield Proposal(node, new, f"another {local.kind}", sentence, (local,), instead, 2, code)
            if not isinstance(site.value, ast.Name):
                value = ast.unparse(site.value)
                adjoints = [each.text.partition(" = ")[0] for each in arsenal.matches(local.arrays[0])]
                sentence = (
                    worded("{what} is not {name}", what=value, name=adjoints[0])
                    if adjoints
                    else worded("{wrong} is not the model's {shown}", wrong=value, shown=called)
                )
                yield Proposal(
                    site.value, reading, f"another {local.kind}", sentence, (local,), instead, 3, code
                )


def _factors(value: ast.expr, reading: ast.expr) -> Iterator[tuple[ast.expr, ast.expr, str]]:
    """Each factor of a product, and the last two together, with what is put there and what stood there."""
    for node in ast.walk(value):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        yield node.left, reading, ast.unparse(node.left)
        yield node.right, reading, ast.unparse(node.right)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Mult):
            first, second, third = node.left.left, node.left.right, node.right
            wrong = ast.unparse(ast.BinOp(second, ast.Mult(), third))
            yield node, ast.BinOp(first, ast.Mult(), reading), wrong


def missing_factor(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """A number or a size is missing."""
    if site.shape is None and not site.is_size:
        return
    for scalar in arsenal.scalars:
        new = ast.BinOp(site.value, ast.Mult(), ast.Name(scalar.name, ast.Load()))
        sentence = worded("{what} misses the factor {factor}", what=site.said_value, factor=scalar.text)
        remedy = worded("multiply {what} by {factor}", what=site.said_value, factor=scalar.text)
        yield Proposal(site.value, new, "factor", sentence, (scalar,), remedy, 1)


def missing_term(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """A term of an adjoint is missing."""
    for term in arsenal.terms:
        for reading in _readings(term, site):
            new = ast.BinOp(site.value, ast.Add(), reading)
            sentence = worded("the term {term} of {what} is missing", term=term.text, what=site.said)
            code = in_their_names(term.text, site, arsenal)
            remedy = worded("add {term}" if code else _IN_THE_MODELS_NAMES, term=code or term.text)
            yield Proposal(site.value, new, "missing term", sentence, (term,), remedy, 2)


def adjoint_itself(site: Site, arsenal: Arsenal) -> Iterator[Proposal]:
    """Nothing that has a name: what is computed should be the adjoint."""
    if isinstance(site.value, ast.Name):
        return
    for adjoint in arsenal.adjoints:
        if adjoint.arrays[0].ndim:
            for reading in _readings(adjoint, site):
                name = adjoint.text.partition(" = ")[0]
                sentence = worded("{what} is not {name}", what=site.said, name=name)
                yield Proposal(site.value, reading, "other", sentence, (adjoint,), adjoint.text, 9)


def in_their_names(formula: str, site: Site, arsenal: Arsenal) -> str:
    """A formula element by element as code; "" where that has its tensors under no name, or sums."""
    try:
        tree = ast.parse(formula.replace("^", "**"), mode="eval").body
    except SyntaxError:  # a formula of the notation that is no Python
        return ""
    called, read = names_in(tree)
    theirs = {name: arsenal.called(name, site) for name in read}
    if not all(theirs.values()) or not called <= OF_NUMPY:
        return ""
    return text_of(elementwise(tree, {**theirs, **{name: f"np.{name}" for name in called}}))
