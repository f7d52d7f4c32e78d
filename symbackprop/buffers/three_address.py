"""A program in three-address form: each line computes one array, from views of arrays that have names.

(A. V. Aho, M. S. Lam, R. Sethi, J. D. Ullman, Compilers, 2nd edition, 6.2.) What has no axes stays within the
line that reads it. What reads no array at all is computed once, ahead of all lines, and so are views of
memory that stays where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.aliasing import is_view, viewed_names
from symbackprop.array.ir import Cast, Copy, Elementwise, Expand, Read
from symbackprop.array.layout import Layout
from symbackprop.array.linear_algebra import Symmetric
from symbackprop.array.lookups import Gather, Take
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Conditional, Count, Refold
from symbackprop.array.value import Value, ValueType
from symbackprop.buffers.called import constant_name, number_name, view_name
from symbackprop.buffers.contiguity import is_contiguous, is_reshaped_in_place
from symbackprop.buffers.destinations import takes_destination
from symbackprop.buffers.expansions import expanded
from symbackprop.buffers.parts import is_invariant
from symbackprop.buffers.rounded import is_rounded, rounded_in
from symbackprop.buffers.scopes import with_unique_names
from symbackprop.buffers.sums import is_sum_of_rows, product_with_ones
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.system import Role

_PYTHON = (Kind.PYTHON, Kind.PYTHON_BOOLEAN)


@dataclass(frozen=True)
class Held(Read):
    """An intermediate array by its name; unlike a tensor's, its axes may be merged or of length one."""

    held: Layout = ()

    def _infer_type(self) -> ValueType:
        return ValueType(self.held, self.number_kind)


def held(name: str, value: Value) -> Held:
    """The array of a value, by its name."""
    return Held(name, value.indices, value.kind, value.layout)


@dataclass(frozen=True)
class ThreeAddress:
    """`setup` runs once, for arrays that stay where they are; `steps` compute.

    A step's statement computes into a buffer where its name is among `buffered`. `constants` are the names of
    the setup's arrays that are read and never written, `parts` those of intermediate results, each with the
    name of the line that it is computed for.
    """

    setup: tuple[Statement, ...]
    steps: tuple[Line, ...]
    buffered: frozenset[str]
    constants: frozenset[str]
    parts: Mapping[str, str]


def three_address(program: Program, results: Collection[str]) -> ThreeAddress:
    """The lines of a program that its `results` need; these are in memory of their own."""
    lines = program.needed_for(results)
    taken = {*(tensor.name for tensor in program.tensors), *(line.name for line in statements_in(lines))}
    lines = with_unique_names(lines, taken)
    stored = {line.name for line in statements_in(lines) if isinstance(line, Store)}
    inputs = {tensor.name for tensor in program.tensors if tensor.role is not Role.SIZE}
    own, rounded = frozenset({*results, *stored}), rounded_in(lines)
    writer = _Writer(taken, own, rounded, fixed=set(inputs), contiguous=set(inputs))
    steps = tuple(writer.written(lines))
    constants = frozenset(writer.constants.values())
    return ThreeAddress(tuple(writer.setup), steps, frozenset(writer.buffered), constants, writer.parts)


@dataclass
class _Writer:
    """Writes lines in three-address form, and collects what runs ahead of them.

    `own` are the names that have memory of their own; the memory of the `fixed` ones is the same whenever the
    steps run, that of the `contiguous` ones without gaps and in the order of the axes; `rounded` are places.
    """

    taken: set[str]
    own: frozenset[str]
    rounded: frozenset[str]
    fixed: set[str]
    contiguous: set[str]
    setup: list[Statement] = field(default_factory=list)
    constants: dict[Value, str] = field(default_factory=dict)
    views: dict[Value, str] = field(default_factory=dict)
    buffered: set[str] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    line: Statement | Store | None = None  # that is being written
    before: list[Statement] = field(default_factory=list)  # for the line
    known: dict[Value, Value] = field(default_factory=dict)  # what the line has computed already

    def written(self, lines: Iterable[Line]) -> list[Line]:
        """The lines in three-address form."""
        found: list[Line] = []
        for line in lines:
            if isinstance(line, Loop):
                found.append(replace(line, body=tuple(self.written(line.body))))
                continue
            self.line, self.before, self.known = line, [], {}
            last = self._statement(line) if isinstance(line, Statement) else self._store(line)
            computed: list[Statement | Store] = [*self.before, *([last] if last else [])]
            found += [replace(each, opens=line.opens and each is computed[0]) for each in computed]
        return found

    def _statement(self, line: Statement) -> Statement | None:
        """The last line for a statement; None where nothing is left to compute."""
        if line.name not in self.own and self._is_constant(line.value):
            self.setup.append(replace(line, opens=False))
            self.constants[line.value] = line.name
            self.fixed.add(line.name)
            return None
        value = self._computed(line.value)
        if line.name in self.own and not viewed_names(value).isdisjoint(self._never_written):
            value = Copy(value)
        statement = replace(line, value=value)
        if takes_destination(value):
            self._with_buffer(line.name, value)
        elif self._stays(value):
            self.setup.append(replace(statement, opens=False))
            self._aliased(line.name, value)
            return None
        return statement

    @property
    def _never_written(self) -> frozenset[str]:
        return frozenset(self.constants.values())

    def _store(self, line: Store) -> Store:
        value = self._argument(line.value) if line.accumulate else self._computed(line.value)
        return replace(line, value=value)

    def _with_buffer(self, name: str, value: Value) -> None:
        self.buffered.add(name)
        self.contiguous.add(name)
        if is_invariant(value.layout):
            self.fixed.add(name)

    def _aliased(self, name: str, value: Value) -> None:
        self.fixed.add(name)
        if is_contiguous(value, self.contiguous):
            self.contiguous.add(name)

    def _computed(self, value: Value) -> Value:
        """The value as one operation on views, or as a view; what it is computed from stands `before`."""
        value = expanded(value)
        if value in self.known or isinstance(value, Read | Conditional) or is_view(value):
            return self._view(value)
        if is_sum_of_rows(value):
            product = product_with_ones(value, self._view(value.operands[0]), self.contiguous)
            return self._operation(value) if product is None else self._computed(product)
        return self._operation(value)

    def _operation(self, value: Value) -> Value:
        numbers = _numbers_in(value)
        operands = (
            self._number(each) if each in numbers else self._argument(each) for each in value.operands
        )
        computed = value.with_operands(tuple(operands))
        if isinstance(computed, Gather) and len(computed.places) == 1:
            in_order = is_contiguous(computed.operand, self.contiguous)  # or np.take copies all of it
            is_taken = in_order and not is_rounded(value.operands[1], self.rounded)
            return Take(computed.operand, computed.places, computed.skip) if is_taken else computed
        return self._lined_up(computed) if isinstance(computed, Elementwise) else computed

    def _lined_up(self, value: Elementwise) -> Value:
        """The operation on views with as many axes as its result: of one row, none is broadcast."""
        rank = len(value.layout)
        arguments: list[Value] = []
        for each in value.arguments:
            new = tuple(range(rank - len(each.layout)))
            fits = each.layout and new and each.kind is Kind.REAL and self._stays(each)
            arguments.append(self._argument(Expand(each, new)) if fits else each)
        return value.with_operands(tuple(arguments))

    def _number(self, value: Value) -> Value:
        """A number that meets arrays, as an array without axes: NumPy need not convert it again and again."""
        number = Cast(value)
        if number not in self.constants:
            self.constants[number] = self._fresh(number_name(value))
            self.setup.append(self._line(self.constants[number], number))
        return held(self.constants[number], number)

    def _argument(self, value: Value) -> Value:
        """What an operation reads: a name, or a view that changes from step to step, or what has no axes."""
        found = self._view(value)
        if isinstance(found, Read) or not self._stays(found):
            return found
        if found not in self.views:
            self.views[found] = self._fresh(view_name(found))
            self.setup.append(self._line(self.views[found], found))
            self._aliased(self.views[found], found)
        return held(self.views[found], found)

    def _view(self, value: Value) -> Value:
        """The value as a view of names, after lines that compute what it is a view of."""
        value = expanded(value)
        if value in self.known:
            return self.known[value]
        if isinstance(value, Read) or (not value.layout and value.kind in _PYTHON):
            return value
        if isinstance(value, Conditional):
            return Conditional(value.condition, *map(self._branch, (value.chosen, value.otherwise)))
        if self._is_constant(value):
            return self._constant(value)
        if isinstance(value, Refold):
            operand = self._view(value.operand)
            if not is_reshaped_in_place(operand, value.target, self.contiguous):
                operand = self._named(Copy(operand), Copy(value.operand))
            return operand if operand.layout == value.target else Refold(operand, value.target)
        if is_view(value):
            first, *rest = value.operands
            return value.with_operands((self._view(first), *rest))
        if not value.layout:
            return value.with_operands(tuple(map(self._argument, value.operands)))
        computed = self._computed(value)
        if is_view(computed):
            self.known[value] = computed
            return computed
        return self._named(computed, value)

    def _branch(self, value: Value) -> Value:
        """A branch of a choice by whole numbers, in which nothing is computed unless it is chosen."""
        return self._constant(value) if self._is_constant(value) else value

    def _constant(self, value: Value) -> Value:
        if value not in self.constants:
            self.constants[value] = self._fresh(constant_name(value))
            self.setup.append(self._line(self.constants[value], value))
            self.fixed.add(self.constants[value])
        return held(self.constants[value], value)

    def _is_constant(self, value: Value) -> bool:
        """Whether an array is the same at all times: it reads none, and no loop's counter."""
        assert self.line is not None
        if not value.layout or self.line.guarded:
            return False
        nodes = tuple(value.walk())
        return all(is_invariant(node.layout) for node in nodes) and not any(
            isinstance(node, Read | Count) for node in nodes
        )

    def _named(self, value: Value, whole: Value) -> Value:
        """The name of a computed array, after the line that computes it."""
        assert self.line is not None
        name = self._fresh(f"{self.line.name}_part")
        self.before.append(self._line(name, value))
        self.parts[name] = self.line.name
        if takes_destination(value):
            self._with_buffer(name, value)
        self.known[whole] = held(name, value)
        return self.known[whole]

    def _line(self, name: str, value: Value) -> Statement:
        assert self.line is not None
        return Statement(name, value, origin=self.line.origin.of_part(Part.CUT), guarded=self.line.guarded)

    def _fresh(self, stem: str) -> str:
        name = numbered_name(stem, self.taken)
        self.taken.add(name)
        return name

    def _stays(self, value: Value) -> bool:
        """Whether a value is a view of memory that stays where it is, and the same view at all times.

        An element without axes is no view of an array, but a number.
        """
        changing = (Conditional, Count, Symmetric)
        nodes = tuple(value.walk())
        views = viewed_names(value)
        reads = {node.name for node in nodes if isinstance(node, Read)}
        return (
            bool(value.layout)
            and views == reads <= self.fixed
            and not any(isinstance(n, changing) for n in nodes)
        )


def _numbers_in(value: Value) -> list[Value]:
    """The operands that are numbers of Python and the same at all times, beside arrays of reals.

    An exponent stays as it is.
    """
    if not isinstance(value, Elementwise) or value.operation in ("power", "where"):
        return []
    if not any(each.layout and each.kind is Kind.REAL for each in value.operands):
        return []
    numbers = [each for each in value.operands if each.kind is Kind.PYTHON]
    return [each for each in numbers if not any(isinstance(node, Count | Read) for node in each.walk())]
