"""From a formula's syntax to an expression: names get their meaning, and what has none is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NoReturn

from symbackprop.errors import LanguageError, NotationError, SymbackpropError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.language import composing
from symbackprop.language.arguments import arguments_of, body_value, expect_bound, inside_body
from symbackprop.language.calls import SPECIAL_FORMS, expect_arguments, is_reduction, reduction, shorthand
from symbackprop.language.expansion import ModelFunction, expanded, height, parameter_element
from symbackprop.language.matrices import MATRIX_FORMS, WITH_POSITIONS
from symbackprop.language.names import (
    Surroundings,
    referenced,
    refused_packed,
)
from symbackprop.language.positions import POSITION_FORMS, element, is_tensor, named_first
from symbackprop.language.scope import Scope
from symbackprop.language.shorthands import DEFINITIONS, product_of_decimals
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Expression, Logic
from symbackprop.syntax.limits import LARGEST_EXPANSION, LARGEST_MAGNITUDE, LARGEST_NESTING
from symbackprop.syntax.nodes import (
    Call,
    Chain,
    Exponentiation,
    Factors,
    Formula,
    FunctionBody,
    Junction,
    Negation,
    NumberLiteral,
    Packed,
    Reference,
    Span,
    Terms,
    Word,
)
from symbackprop.syntax.words import CALLABLE, ELEMENTWISE, YIELDING
from symbackprop.systems.shorthands import BRINGS_IN, NAMED

_SPLIT = worded("name a part of the formula by an equation of its own")


@dataclass
class FormulaReader:
    """Reads formulas in a scope.

    `expanded_nodes` counts what the model's functions have expanded to, `shorthands` are the words of
    `language.shorthands` that came up, and the decimals and fractions.
    """

    scope: Scope
    expanded_nodes: int = field(default=0, init=False)
    shorthands: set[str] = field(default_factory=set, init=False)
    depth: int = field(default=0, init=False)

    def whole(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A whole formula that is a number, held against the limits that all of it has."""
        return self._bounded(self.value(formula, surroundings), formula.span)

    def whole_body(self, body: FunctionBody, surroundings: Surroundings) -> Expression:
        """The value of a function's body, held against the limits of a formula."""
        return self._bounded(body_value(body, surroundings, self), body.value.span)

    def whole_of_any_kind(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """A whole formula that may be a number or a condition."""
        read = self.condition if isinstance(formula, Chain | Junction) else self.value
        return self._bounded(read(formula, surroundings), formula.span)

    def value(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """The expression of a formula that is a number for every value of its indices."""
        with self._one_level_down(formula):
            match formula:
                case NumberLiteral(text):
                    number = composing.number(text)
                    if number.value.denominator > 1:
                        self.shorthands.add(text)
                    return number
                case Reference(word, _, _) if is_tensor(word, surroundings, self.scope):
                    return element(formula, surroundings, self)
                case Reference():
                    return referenced(formula, surroundings, self.scope)
                case Call():
                    return self._call(formula, surroundings)
                case Negation(operand):
                    return composing.negated(self.value(operand, surroundings))
                case Terms(terms):
                    return composing.total([(sign, self.value(term, surroundings)) for sign, term in terms])
                case Factors(factors):
                    return self._product(factors, surroundings)
                case Exponentiation(base, exponent):
                    return composing.raised(
                        self.value(base, surroundings), self.value(exponent, surroundings)
                    )
                case Packed():
                    raise refused_packed(formula, self.scope)
            raise self.scope.error(
                worded("a condition stands where a value is needed"),
                formula.span,
                worded("make it a number: where(..., 1, 0)"),
            )

    def condition(self, formula: Formula, surroundings: Surroundings) -> Expression:
        """The expression of a formula that holds or does not."""
        with self._one_level_down(formula):
            match formula:
                case Chain(operands, operators):
                    values = [self.value(operand, surroundings) for operand in operands]
                    neighbours = zip(operators, values[:-1], values[1:], strict=True)
                    links = tuple([self.scope.comparison(*link) for link in neighbours])
                    return links[0] if len(links) == 1 else Logic("and", links)
                case Junction(operator, operands):
                    return Logic(operator, tuple([self.condition(each, surroundings) for each in operands]))
            raise self.scope.error(
                worded("a value stands where a condition is needed"),
                formula.span,
                worded("compare it with something: where(u > 0, ..., ...)"),
            )

    @contextmanager
    def _one_level_down(self, formula: Formula) -> Iterator[None]:
        self.depth += 1
        try:
            if self.depth > LARGEST_NESTING:
                raise LanguageError(
                    worded(
                        "the formula is nested more than {largest} deep",
                        largest=LARGEST_NESTING,
                    ),
                    remedy=_SPLIT,
                )
            with self._placing(formula.span):
                yield
        finally:
            self.depth -= 1

    @contextmanager
    def _placing(self, span: Span) -> Iterator[None]:
        """Give an error that has no place yet this one."""
        try:
            yield
        except SymbackpropError as error:
            if error.place:
                raise
            place = self.scope.source.place(span)
            raise type(error)(error.cause, place=place, remedy=error.remedy) from None

    def _bounded(self, expression: Expression, span: Span) -> Expression:
        """The expression, if its tree is not too high and its numbers are not too large."""
        self._expect_height(expression, span)
        if composing.magnitude(expression) > LARGEST_MAGNITUDE:
            raise LanguageError(
                worded(
                    "the numbers of this formula multiply up beyond 10^{largest}",
                    largest=LARGEST_MAGNITUDE,
                ),
                place=self.scope.source.place(span),
                remedy=worded("choose units in which the numbers fit float64"),
            )
        return expression

    def _expect_height(self, expression: Expression, span: Span) -> None:
        # The calls of functions can make a tree that is higher than the text is nested.
        if height(expression, LARGEST_NESTING) > LARGEST_NESTING:
            raise LanguageError(
                worded("the formula is nested more than {largest} deep", largest=LARGEST_NESTING),
                place=self.scope.source.place(span),
                remedy=_SPLIT,
            )

    def _product(self, factors: tuple[tuple[str, Formula], ...], surroundings: Surroundings) -> Expression:
        values = []
        for operator, factor in factors:
            value = self.value(factor, surroundings)
            if operator == "/":
                with self._placing(factor.span):
                    composing.expect_divisor(value)
            values.append((operator, value))
        match factors:
            case ((_, NumberLiteral(above)), ("/", NumberLiteral(below)), *_):
                self.shorthands.add(f"{above}/{below}")
        self.shorthands.update(product_of_decimals(factors))
        return composing.quotient(values)

    def _call(self, call: Call, surroundings: Surroundings) -> Expression:
        name = call.word.text
        if call.positions is not None and name not in WITH_POSITIONS:
            raise self._refused_positions(call, surroundings)
        if name in YIELDING and self._is_own(name, surroundings):
            return self._own_function(call, surroundings)
        if name in NAMED and (name != "diff" or len(call.arguments) > 2):
            self.shorthands.add(name)
        self.shorthands.update(each for each in BRINGS_IN.get(name, ()) if each not in self.scope.first_uses)
        if name in DEFINITIONS:
            return shorthand(call, surroundings, self)
        for forms in (SPECIAL_FORMS, POSITION_FORMS, MATRIX_FORMS):
            if name in forms:
                return forms[name](call, surroundings, self)
        if is_reduction(call, surroundings, self.scope):
            return reduction(call, surroundings, self)
        if name in ELEMENTWISE:
            expect_arguments(call, FUNCTIONS[name].arity, self.scope)
            return composing.applied(name, self._arguments(call, surroundings))
        return self._own_function(call, surroundings)

    def _refused_positions(self, call: Call, surroundings: Surroundings) -> NotationError:
        remedy = worded("only a tensor has positions")
        with suppress(SymbackpropError):
            alone = self.value(replace(call, positions=None), replace(surroundings, left=None))
            remedy = named_first(call, alone, self.scope) or remedy
        return self.scope.error(
            worded("the value of {word}(...) has no positions", word=call.word.text), call.span, remedy
        )

    def _is_own(self, name: str, surroundings: Surroundings) -> bool:
        """Whether the model has given a name away itself."""
        return name in self.scope.first_uses or name in surroundings.parameters

    def _arguments(self, call: Call, surroundings: Surroundings) -> tuple[Expression, ...]:
        return tuple([self.value(argument, surroundings) for argument in call.arguments])

    def _own_function(self, call: Call, surroundings: Surroundings) -> Expression:
        """A call of a function that the model defines, replaced by its body at the arguments."""
        function = self.scope.functions.get(call.word.text)
        if function is None:
            self._refuse_as_function(call.word, surroundings)
        expect_arguments(call, len(function.parameters), self.scope)
        result = self._at(function, call, surroundings)
        self.expect_expansion(result, call.span)
        return result

    def expect_expansion(self, expression: Expression, span: Span) -> None:
        """LanguageError where the model's functions expand to more, or higher, than a model may have."""
        self._expect_height(expression, span)
        self.expanded_nodes += expression.node_count
        if self.expanded_nodes > LARGEST_EXPANSION:
            raise LanguageError(
                worded(
                    "the model's functions expand to more than {largest} nodes",
                    largest=f"{LARGEST_EXPANSION:,}",
                ),
                place=self.scope.source.place(span),
                remedy=worded("define tensors by equations for what is used more than once"),
            )

    def _at(self, function: ModelFunction, call: Call, surroundings: Surroundings) -> Expression:
        """The function's body at a call's arguments; where parameters are indices, composed for these."""
        given = dict(zip(function.parameters, call.arguments, strict=True))
        arguments = arguments_of(function, given, call, surroundings, self)
        inner = inside_body(function, arguments, surroundings)
        body = None if arguments.indices else function.body
        if body is None:
            if function.name == surroundings.function:
                self._refuse_as_function(call.word, surroundings)
            body = body_value(function.formula, inner, self)
        values = {parameter_element(name).tensor: value for name, value in arguments.values.items()}
        stand_ins = {inner.index_parameters[name]: index for name, index in arguments.indices.items()}
        result = expanded(body, values, stand_ins)
        for name, index in arguments.indices.items():
            if index in result.free_indices:
                expect_bound(given[name], surroundings, self.scope)
        return result

    def _refuse_as_function(self, word: Word, surroundings: Surroundings) -> NoReturn:
        name, scope = word.text, self.scope
        is_own = name in scope.first_uses and scope.first_uses[name][0] == "function"
        if name == surroundings.function or is_own:  # by way of others, where it is another
            raise scope.error(
                worded("the function '{name}' calls itself", name=name),
                word.span,
                worded("write it without recursion"),
            )
        if name in scope.tensors:
            remedy = worded("positions stand in square brackets, {name}[...]; a product needs '*'", name=name)
            raise scope.error(worded("'{name}' is a tensor, not a function", name=name), word.span, remedy)
        if name in surroundings.parameters:
            raise scope.error(
                worded("'{name}' is a parameter, not a function", name=name),
                word.span,
                worded("a product needs '*'"),
            )
        if name in scope.first_uses:
            raise scope.error(
                worded("'{name}' is {kind}, not a function", name=name, kind=scope.kind(name)),
                word.span,
                worded("a product needs '*'"),
            )
        raise scope.unknown("function", word, {*scope.functions, *CALLABLE})
