"""How a stranger's function or class is to be called, from its parameters and the model's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.errors import SymbackpropError, VerificationError
from symbackprop.handwritten.layer_sizes import (
    counts,
    size_abbreviated,
    size_called,
    size_meant,
)
from symbackprop.handwritten.naming import Naming, adjoint_of
from symbackprop.handwritten.plans import (
    Argument,
    Call,
    Data,
    Plan,
    Result,
    SavedContext,
)
from symbackprop.handwritten.syntax_of_code import OF_A_GRADIENT, Class, Function, Handwritten
from symbackprop.handwritten.tables import CACHES, is_cache, table_of
from symbackprop.languages.phrases import marked, worded
from symbackprop.systems.system import DECLARED_ROLES, Role

BACKWARDS = ("backward", "gradient", "gradients", "grad", "grads", "backprop", "back_prop", "backpropagate",
             "compute_gradients", "bprop", "backpropagation")  # fmt: skip
FORWARD_METHODS = ("forward", "predict", "feedforward", "fprop", "__call__")


@dataclass(frozen=True)
class Candidate:
    """What may be the gradient: how it is called, what it is, and the names of what it returns."""

    name: str
    plan: Plan
    returned: tuple[str, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The data that it is given."""
        called = {key for call in self.plan.calls for key in call.keys}
        held = [*self.plan.attributes, *self.plan.variables]
        return frozenset(called.union((key for _, key in held), self.plan.parameters))


@dataclass(frozen=True)
class Planner:
    """Plans calls of what a file defines."""

    code: Handwritten
    naming: Naming

    def _undefined(self, unknown: list[str], is_named: bool) -> VerificationError:
        known = (*self.code.functions, *self.code.classes)
        remedy = worded("it defines {names}", names=", ".join(known) or worded("nothing"))
        if not is_named:
            remedy = worded(
                "{remedy}; a loop at the top of a file is run once where it assigns gradients to variables, "
                "dW1 = ...: do that, or put what computes it into a function",
                remedy=remedy,
            )
        template = marked("{program} defines no function or class that looks like a gradient")
        if unknown:
            template = marked("{program} does not define '{name}'")
        cause = worded(template, program=self.code.program.name, name=next(iter(unknown), ""))
        return VerificationError(cause, remedy=remedy)

    def candidates(self, name: str = "") -> list[Candidate]:
        """The best first. VerificationError where there is none, or none that could be called."""
        wanted = [name.split(".")[0]] if name else self._likely()
        unknown = [each for each in wanted if each not in {*self.code.functions, *self.code.classes}]
        if unknown or not wanted:
            raise self._undefined(unknown, is_named=bool(name))
        found: list[Candidate] = []
        errors: list[SymbackpropError] = []
        for each in wanted:
            try:
                found.append(self._planned(each, name.partition(".")[2]))
            except VerificationError as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return sorted(found, key=lambda each: -len(each.keys & self._declared))

    @property
    def _declared(self) -> frozenset[str]:
        return frozenset(each.name for each in self.naming.system.with_role(*DECLARED_ROLES))

    def _likely(self) -> list[str]:
        """The last defined first."""
        functions = [name for name in self.code.functions if OF_A_GRADIENT.fullmatch(name)]
        classes = [name for name, each in self.code.classes.items() if self._backward(each) is not None]
        computing = [name for name, each in self.code.functions.items() if self._gradients_in(each)]
        named = [*reversed(classes), *reversed(functions), *reversed(computing)]
        return list(dict.fromkeys(named)) or list(reversed(self.code.functions))

    def _gradients_in(self, function: Function) -> dict[str, str]:
        """The parameters whose gradient it assigns under a name of its own, each with what holds that."""
        parameters = [each.name for each in self.naming.system.with_role(Role.PARAMETER)]
        found: dict[str, str] = {}
        for name, holder in function.assigned:
            of = self.naming.gradient_of(name, parameters)
            in_table = holder not in (name, "self") and re.match("d|grad|g$", holder)
            if of is not None and (in_table or not self.naming.is_called(name, of)):
                found.setdefault(of, holder)
        return found

    def _backward(self, own: Class) -> Function | None:
        """The method with a gradient's name, or the one that assigns most gradients."""
        named = [own.methods[name] for name in BACKWARDS if name in own.methods]
        named += [each for name, each in own.methods.items() if OF_A_GRADIENT.fullmatch(name)]
        computing = sorted(own.methods.values(), key=lambda each: -len(self._gradients_in(each)))
        return next(iter([*named, *(each for each in computing if self._gradients_in(each))]), None)

    def _is_kept(self, function: Function) -> bool:
        """Whether the gradients that it assigns stay in its own variables."""
        holders = set(self._gradients_in(function).values()) - {"self"}
        return bool(holders) and not holders & (function.returned_variables | function.declared_global)

    def _variables(self, function: Function) -> tuple[tuple[str, str], ...]:
        """The module's variables that are tensors of the model."""
        declared = [each.name for each in self.naming.system.with_role(Role.PARAMETER, Role.CONSTANT)]
        named = [(name, self.naming.tensor(name, declared)) for name in sorted(self.code.variables)]
        own = {*function.required, *function.optional}
        return tuple([(name, tensor) for name, tensor in named if tensor is not None and name not in own])

    def _planned(self, name: str, method: str = "") -> Candidate:
        if name in self.code.classes and self.code.classes[name].is_autograd_function:
            return self._of_autograd_function(self.code.classes[name])
        if name in self.code.classes:
            return self._of_class(self.code.classes[name], method)
        return self._of_function(self.code.functions[name])

    def _of_function(self, function: Function) -> Candidate:
        found, missing = self._arguments(function)
        caches = [name for name in missing if CACHES.fullmatch(name.lower())] or missing[:1]
        forward = self.code.forward_of(function) if missing else None
        calls: list[Call] = []
        if forward is not None and forward.name != function.name and len(missing) == 1:
            arguments, lacking = self._arguments(forward)
            _expect_all(forward, lacking)
            calls.append(Call(forward.name, tuple(arguments.items())))
            found[caches[0]] = Result(0, -1 if forward.returns_tuple else None)
            missing = []
        _expect_all(function, missing)
        calls += self._setting_globals(function) if not calls else []
        calls.append(Call(function.name, tuple(found.items())))
        keeps_locals = self._is_kept(function)
        plan = Plan(tuple(calls), variables=self._variables(function), keeps_locals=keeps_locals)
        in_order = function.name in self.code.vjp_pairs
        returned = _in_order_of(calls[0].arguments) if in_order else function.returned
        return Candidate(function.name, plan, returned)

    def _of_autograd_function(self, own: Class) -> Candidate:
        """A torch.autograd.Function: backward gives one gradient for each argument of forward."""
        forward, backward = own.methods["forward"], own.methods["backward"]
        given, lacking = self._arguments(forward)
        _expect_all(forward, lacking)
        sent, missing = self._arguments(backward)
        if len(missing) == 1:
            sent[missing[0]] = Data(adjoint_of(self.naming.output))
        arguments = tuple(given.items())
        calls = [
            Call(f"{own.name}.{each.name}", ((each.node.args.args[0].arg, SavedContext()), *rest))
            for each, rest in ((forward, arguments), (backward, tuple(sent.items())))
        ]
        plan = Plan(tuple(calls), variables=self._variables(backward), takes_tensors=True)
        return Candidate(own.name, plan, _in_order_of(arguments))

    def _setting_globals(self, function: Function) -> list[Call]:
        """Calls of the functions that leave in the module's variables what this one reads."""
        found: list[Call] = []
        for each in self.code.functions.values():
            if each.name != function.name and each.declared_global & function.read:
                arguments, missing = self._arguments(each)
                found += [] if missing else [Call(each.name, tuple(arguments.items()))]
        return found

    def _of_class(self, own: Class, method: str) -> Candidate:
        backward = own.methods.get(method) or self._backward(own)
        if backward is None:
            raise VerificationError(
                worded("the class {own} has no method that looks like a gradient", own=own.name),
                remedy=worded("name it: {own}.METHOD", own=own.name),
            )
        constructor = own.constructor
        made = Call(own.name, tuple(self._constructed(constructor)) if constructor else ())
        calls = [made]
        arguments, missing = self._arguments(backward)
        forward = self._forward(own, backward, arguments) if missing or _reads_self(backward) else None
        given, lacking = self._arguments(forward) if forward is not None else ({}, [])
        if forward is not None and missing:
            _expect_all(forward, lacking)
        if forward is not None and not lacking:
            calls.append(Call(f"self.{forward.name}", tuple(given.items())))
            for name in missing:
                arguments[name] = Result(1, -1 if forward.returns_tuple else None)
            missing = []
        _expect_all(backward, missing)
        calls.append(Call(f"self.{backward.name}", tuple(arguments.items())))
        attributes = tuple(self._attributes(own))
        held = {tensor for _, tensor in attributes}
        parameters = [each.name for each in self.naming.system.with_role(Role.PARAMETER)]
        nested = () if held else tuple(parameters)
        variables, keeps_locals = self._variables(backward), self._is_kept(backward)
        plan = Plan(tuple(calls), attributes, nested, variables, keeps_locals)
        return Candidate(own.name, plan, backward.returned)

    def _forward(self, own: Class, backward: Function, arguments: dict[str, Argument]) -> Function | None:
        """The method that leaves behind what the gradient reads: it sees the targets where that does not."""
        targets = {each.name for each in self.naming.system.with_role(Role.TARGET)}
        used = {each.key for each in arguments.values() if isinstance(each, Data)}
        loss = own.methods.get("loss")
        if targets and not targets & used and loss is not None and loss.required:
            return loss
        found = next((own.methods[name] for name in FORWARD_METHODS if name in own.methods), None)
        return found if found is not None and found.name != backward.name else None

    def _attributes(self, own: Class) -> Iterator[tuple[tuple[str, ...], str]]:
        declared = [each.name for each in self.naming.system.with_role(Role.PARAMETER, Role.CONSTANT)]
        for path in own.attributes:
            is_gradient = len(path) > 1 and re.match("d|grad", path[0])
            tensor = None if is_gradient else self.naming.tensor(path[-1], declared)
            if tensor is not None:
                yield path, tensor

    def _constructed(self, constructor: Function) -> Iterator[tuple[str, Argument]]:
        """A constructor is told sizes: a name is rather that of an axis."""
        found, missing = self._arguments(constructor)
        for name in (*constructor.required, *constructor.optional):
            size = None if name in self._declared else size_called(name, self.naming)
            if size is not None or name in found:
                yield name, size or found[name]
            elif name in missing:
                yield name, size_meant(name, self.naming)

    def _arguments(self, function: Function) -> tuple[dict[str, Argument], list[str]]:
        """What each parameter gets, and those for which there is nothing."""
        tables = {name: table_of(name, function, self.code, self.naming) for name in function.required}
        names = (*function.required, *function.optional)
        counted = {name: size for name in names if (size := self._counted(name, function)) is not None}
        plainly = [
            name
            for name in function.required
            if tables[name] is None and name not in counted and not is_cache(name, self.naming)
        ]
        optional = [name for name in function.optional if name not in counted]
        matched = self.naming.matched(plainly, optional)
        found: dict[str, Argument] = {}
        for name in names:
            table = tables.get(name)
            if name in counted:
                found[name] = counted[name]
            elif table is not None:
                found[name] = table
            elif name in matched:
                found[name] = Data(matched[name])
            elif (size := size_called(name, self.naming)) is not None:
                found[name] = size
        return found, [name for name in function.required if name not in found]

    def _counted(self, name: str, function: Function) -> Argument | None:
        """The size that a parameter is called like, where it can be nothing else, or the function counts."""
        system = self.naming.system
        told = {each.name for each in system.with_role(Role.SIZE)}
        is_other = name in self._declared - told or name in self.naming.given
        if is_other or not (name in told or counts(name, function)):
            return None
        return size_called(name, self.naming) or size_abbreviated(name, self.naming)


def _in_order_of(arguments: tuple[tuple[str, Argument], ...]) -> tuple[str, ...]:
    """The names of the gradients that are given back in the order of a forward function's arguments."""
    return tuple([f"grad_{each.key}" if isinstance(each, Data) else "" for _, each in arguments])


def _reads_self(function: Function) -> bool:
    return "self" in function.read


def _expect_all(function: Function, missing: list[str]) -> None:
    if missing:
        raise VerificationError(
            worded(
                "no tensor of the model is known by the name of {function}'s parameter '{missing}'",
                function=function.name,
                missing=missing[0],
            ),
            remedy=worded("say which it is: --map {missing}=TENSOR", missing=missing[0]),
        )
