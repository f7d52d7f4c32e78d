"""What a stranger's file defines, read from its syntax: functions, classes, keys, what is returned."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from symbackprop.errors import LanguageError
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.running.definitions import parsed
from symbackprop.languages.phrases import worded

OF_A_GRADIENT = re.compile(
    r".*(backward|back_?prop|backprop|bprop|bwd|grad|gradient|vjp|derivs?|deriv).*", re.IGNORECASE
)
FORWARDS = (
    ("backward", "forward"), ("Backward", "Forward"), ("bwd", "fwd"), ("bprop", "fprop"),
    ("backprop", "forward"), ("back", "forward"), ("gradient", "forward"), ("grad", "forward"),
    ("_backward", ""), ("_bwd", ""), ("_grad", ""), ("_vjp", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Function:
    """A function or method, without `self`; `required` parameters have no default."""

    name: str
    node: ast.FunctionDef
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @classmethod
    def of(cls, node: ast.FunctionDef, is_method: bool = False) -> Function:
        """Read off a definition."""
        arguments = node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)][1 if is_method else 0 :]
        count = len(names) - len(arguments.defaults)
        keywords = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        required = [*names[:count], *(each.arg for each, default in keywords if default is None)]
        optional = [*names[count:], *(each.arg for each, default in keywords if default is not None)]
        return cls(node.name, node, tuple(required), tuple(optional))

    @cached_property
    def returned(self) -> tuple[str, ...]:
        """What the last `return` names, item by item; "" for what has no name."""
        returns = [node for node in ast.walk(self.node) if isinstance(node, ast.Return) and node.value]
        if not returns:
            return ()
        value = max(returns, key=lambda node: node.lineno).value
        items = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        taken = {*self.required, *self.optional}
        return tuple([_named(item, taken) for item in items if item is not None])

    @cached_property
    def assigned(self) -> tuple[tuple[str, str], ...]:
        """What it assigns to, and the variable that holds it: ("dW", "dW"), ("W1", "grads")."""
        found: dict[tuple[str, str], None] = {}
        for node in ast.walk(self.node):
            match node:
                case ast.Name(name, ast.Store()):
                    found[(name, name)] = None
                case ast.Subscript(ast.Name(name), ast.Constant(str() as key), ast.Store()):
                    found[(key, name)] = None
                case ast.Attribute(ast.Name("self"), name, ast.Store()):
                    found[(name, "self")] = None
        return tuple(found)

    @cached_property
    def read(self) -> frozenset[str]:
        """The variables that it reads."""
        names = [node for node in ast.walk(self.node) if isinstance(node, ast.Name)]
        return frozenset(each.id for each in names if isinstance(each.ctx, ast.Load))

    @cached_property
    def returned_variables(self) -> frozenset[str]:
        """The variables in what it returns."""
        returns = [node for node in ast.walk(self.node) if isinstance(node, ast.Return)]
        return frozenset(each.id for node in returns for each in ast.walk(node) if isinstance(each, ast.Name))

    @cached_property
    def declared_global(self) -> frozenset[str]:
        """The variables of the module that it sets."""
        return frozenset(
            name for node in ast.walk(self.node) if isinstance(node, ast.Global) for name in node.names
        )

    @cached_property
    def returns_tuple(self) -> bool:
        """Whether the last `return` gives several things."""
        returns = [node for node in ast.walk(self.node) if isinstance(node, ast.Return) and node.value]
        return bool(returns) and isinstance(max(returns, key=lambda node: node.lineno).value, ast.Tuple)


def _named(node: ast.expr, parameters: set[str]) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
        case ast.Subscript(_, ast.Constant(str() as key)):
            return key
        case ast.BinOp() | ast.Call() | ast.UnaryOp():
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} - parameters
            gradients = [name for name in names if re.match(r"d[A-Za-z]|grad", name)]
            return gradients[0] if len(gradients) == 1 else ""
    return ""


@dataclass(frozen=True)
class Class:
    """A class with its methods."""

    name: str
    node: ast.ClassDef

    @cached_property
    def methods(self) -> dict[str, Function]:
        """By their name."""
        return {
            each.name: Function.of(each, is_method=True)
            for each in self.node.body
            if isinstance(each, ast.FunctionDef)
        }

    @cached_property
    def constructor(self) -> Function | None:
        """Its `__init__`; of a dataclass, one that takes its fields."""
        decorators = [ast.unparse(each) for each in self.node.decorator_list]
        if "__init__" in self.methods or not any("dataclass" in each for each in decorators):
            return self.methods.get("__init__")
        fields = [each for each in self.node.body if isinstance(each, ast.AnnAssign)]
        named = [(ast.unparse(each.target), each.value is not None) for each in fields]
        parameters = ", ".join(["self", *(f"{name}=None" if has else name for name, has in named)])
        made = ast.parse(f"def __init__({parameters}): pass").body[0]
        assert isinstance(made, ast.FunctionDef)
        return Function.of(made, is_method=True)

    @property
    def is_autograd_function(self) -> bool:
        """Whether it is a torch.autograd.Function: forward(ctx, ..) and backward(ctx, ..)."""
        bases = [
            each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "")
            for each in self.node.bases
        ]
        return "Function" in bases and {"forward", "backward"} <= self.methods.keys()

    @cached_property
    def attributes(self) -> tuple[tuple[str, ...], ...]:
        """("W1",) for self.W1, ("params", "W1") for self.params['W1']."""
        found: dict[tuple[str, ...], None] = {}
        for node in ast.walk(self.node):
            match node:
                case ast.Subscript(ast.Attribute(ast.Name("self"), name), ast.Constant(str() as key)):
                    found[(name, key)] = None
                case ast.Attribute(ast.Name("self"), name):
                    found[(name,)] = None
        return tuple(found)


@dataclass(frozen=True)
class Handwritten:
    """A stranger's file. LanguageError where it is not Python."""

    program: Program

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, lines counted as in the file."""
        try:
            return parsed(self.program)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 0) or 0
            raise LanguageError(
                worded(
                    "{program}:{line}: this is not Python: {args}",
                    program=self.program.name,
                    line=line,
                    args=error.args[0],
                ),
                remedy=worded("export the notebook's cell as a .py file"),
            ) from error

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Those at the top of the file."""
        return {each.name: Function.of(each) for each in self.tree.body if isinstance(each, ast.FunctionDef)}

    @cached_property
    def classes(self) -> dict[str, Class]:
        """Those at the top of the file."""
        return {
            each.name: Class(each.name, each) for each in self.tree.body if isinstance(each, ast.ClassDef)
        }

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables of the module: assigned at the top of the file, or declared global."""
        assigned = [each for each in self.tree.body if isinstance(each, ast.Assign | ast.AnnAssign)]
        names = [node for each in assigned for node in ast.walk(each) if isinstance(node, ast.Name)]
        stored = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        return frozenset(stored.union(*(each.declared_global for each in self.functions.values())))

    def imports(self, module: str) -> bool:
        """Whether it imports a module, or something from it."""
        nodes = [each for each in ast.walk(self.tree) if isinstance(each, ast.Import | ast.ImportFrom)]
        from_modules = [each.module or "" for each in nodes if isinstance(each, ast.ImportFrom)]
        whole = [name.name for each in nodes if isinstance(each, ast.Import) for name in each.names]
        return any(name.partition(".")[0] == module for name in (*from_modules, *whole))

    def keys_of(self, variable: str) -> tuple[str, ...]:
        """The strings by which a variable of this name is looked up: params['W1'], params.get('W1')."""
        found: dict[str, None] = {}
        for node in ast.walk(self.tree):
            match node:
                case ast.Subscript(ast.Name(name), ast.Constant(str() as key)) if name == variable:
                    found[key] = None
                case ast.Call(
                    ast.Attribute(ast.Name(name), "get" | "pop"), [ast.Constant(str() as key), *_]
                ) if name == variable:
                    found[key] = None
        return tuple(found)

    def unpacked(self, variable: str, function: Function) -> tuple[str, ...]:
        """The names that a tuple is unpacked to: x, w, b = cache."""
        for node in ast.walk(function.node):
            match node:
                case ast.Assign([ast.Tuple(targets)], ast.Name(name)) if name == variable:
                    return tuple([each.id for each in targets if isinstance(each, ast.Name)])
        return ()

    @cached_property
    def vjp_pairs(self) -> dict[str, str]:
        """Backward and forward of JAX's f.defvjp(forward, backward)."""
        found: dict[str, str] = {}
        for each in self.tree.body:
            match each:
                case ast.Expr(ast.Call(ast.Attribute(_, "defvjp"), [ast.Name(ahead), ast.Name(back)])) if (
                    back in self.functions
                ):
                    found[back] = ahead
        return found

    def forward_of(self, function: Function) -> Function | None:
        """The function whose cache this one takes: layer_forward for layer_backward."""
        if function.name in self.vjp_pairs:
            return self.functions.get(self.vjp_pairs[function.name])
        for back, ahead in FORWARDS:
            if back in function.name and function.name.replace(back, ahead) in self.functions:
                return self.functions[function.name.replace(back, ahead)]
        named = [each for each in self.functions.values() if re.search("forward|fwd", each.name)]
        return named[0] if len(named) == 1 else None
