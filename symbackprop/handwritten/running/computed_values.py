"""What the statements of a stranger's code compute: each value by itself, and who takes it.

Several values in one statement, `a, b = c, d`, count one by one, and so do the items of what is returned,
what is appended to a list, a walrus, the elements of a comprehension, the body of a lambda, what a loop runs
over and the condition of an `if`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

NOTE = "__computed__"  # the function that the code calls with the place and the value
RETURNED = "return"
ADDING = {"append": 0, "insert": 1, "appendleft": 0, "extend": 0}  # methods by the place of what they add
SCATTERING = ("add", "subtract", "multiply")  # np.add.at(array, places, value)
Loops = tuple[str, ...]


@dataclass(frozen=True)
class Computed:
    """A value of a statement in a definition at the top of the file.

    `target` is what takes it, as text; `function` the qualified name of the function, `loops` the variables
    of the loops around. With `items`, it is a display of several values, each of which counts by itself.
    """

    outer: ast.stmt
    statement: ast.stmt
    value: ast.expr
    target: str
    function: str
    loops: Loops = ()
    items: bool = False


def place_of(value: ast.expr) -> str:
    """How a value is named among what was watched: by where it stands in the text."""
    return f"={value.lineno}:{value.col_offset}:{value.end_lineno}:{value.end_col_offset}"


def computed_in(tree: ast.Module) -> Iterator[Computed]:
    """All of a file, in the order of the text."""
    for outer in tree.body:
        match outer:
            case ast.FunctionDef() | ast.ClassDef():
                yield from _of_definition(outer, outer, "")
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                yield from _inside(Computed(outer, outer, value, "", ""))


def _of_definition(outer: ast.stmt, node: ast.FunctionDef | ast.ClassDef, within: str) -> Iterator[Computed]:
    name = f"{within}{node.name}"
    inner = f"{name}." if isinstance(node, ast.ClassDef) else f"{name}.<locals>."
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _of_definition(outer, child, inner)
        elif isinstance(node, ast.FunctionDef):
            yield from _of_statement(outer, child, name, ())


def _of_statement(outer: ast.stmt, node: ast.stmt, function: str, loops: Loops) -> Iterator[Computed]:
    base = Computed(outer, node, ast.Constant(None), "", function, loops)
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            yield from _of_definition(outer, node, f"{function}.<locals>.")
        case ast.For(target, over):
            names = tuple([each.id for each in ast.walk(target) if isinstance(each, ast.Name)])
            yield replace(base, value=over)
            yield from _within(base, node, (*loops, *names))
        case ast.If(test):
            yield replace(base, value=test)
            yield from _within(base, node, loops)
        case ast.Assign([*_, target], value) | ast.AugAssign(target, _, value):
            yield from _taken(replace(base, value=value), target)
        case ast.AnnAssign(target, _, ast.expr() as value):
            yield from _taken(replace(base, value=value), target)
        case ast.Return(ast.expr() as value):
            yield from _given_back(replace(base, value=value, target=RETURNED))
        case ast.Expr(ast.Call() as call):
            yield from _added(base, call)
            yield from _inside(replace(base, value=call))
        case _:
            yield from _within(base, node, loops)


def _within(base: Computed, node: ast.stmt, loops: Loops) -> Iterator[Computed]:
    """The statements of a compound statement, and what its condition computes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _of_statement(base.outer, child, base.function, loops)
        elif isinstance(child, ast.expr):
            yield from _inside(replace(base, value=child))
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            for each in child.body:
                yield from _of_statement(base.outer, each, base.function, loops)


def _taken(own: Computed, target: ast.expr) -> Iterator[Computed]:
    """What a target takes; item by item where both sides are displays."""
    value = own.value
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        plain = not any(isinstance(each, ast.Starred) for each in (*target.elts, *value.elts))
        if plain and len(target.elts) == len(value.elts):
            yield replace(own, target=ast.unparse(target), items=True)
            for one, other in zip(target.elts, value.elts, strict=True):
                yield from _taken(replace(own, value=other), one)
            return
    name = ast.unparse(target)
    parts = list(_items(value, name)) if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) else []
    yield replace(own, target=name, items=bool(parts))
    for path, part in parts:
        yield replace(own, value=part, target=path)
    yield from _inside(own)


def _given_back(own: Computed) -> Iterator[Computed]:
    parts = list(_items(own.value, RETURNED))
    yield replace(own, items=bool(parts))
    for path, part in parts:
        yield replace(own, value=part, target=path)
    yield from _inside(own)


def _items(value: ast.expr, path: str) -> Iterator[tuple[str, ast.expr]]:
    """The values of a tuple, list or dictionary that is written out, by the path to each."""
    match value:
        case ast.Tuple(items) | ast.List(items):
            if not any(isinstance(each, ast.Starred) for each in items):
                for place, each in enumerate(items):
                    yield from list(_items(each, f"{path}[{place}]")) or [(f"{path}[{place}]", each)]
        case ast.Dict(keys, values):
            for key, each in zip(keys, values, strict=True):
                if key is not None:
                    own = f"{path}[{ast.unparse(key)}]"
                    yield from list(_items(each, own)) or [(own, each)]
        case ast.Call(ast.Name("dict"), [], keywords):
            for keyword in keywords:
                if keyword.arg is not None:
                    yield f"{path}[{keyword.arg!r}]", keyword.value


def _added(own: Computed, call: ast.Call) -> Iterator[Computed]:
    """What a call that stands alone adds to a list, or to the positions of an array, or writes to `out`."""
    match call:
        case ast.Call(ast.Attribute(ast.Attribute(_, name), "at"), [array, _, value]) if name in SCATTERING:
            yield replace(own, value=value, target=ast.unparse(array))
        case ast.Call(ast.Attribute(holder, method), [*arguments]) if method in ADDING:
            if len(arguments) > ADDING[method]:
                yield replace(own, value=arguments[ADDING[method]], target=ast.unparse(holder))
    for keyword in call.keywords:
        if keyword.arg == "out":
            yield replace(own, value=call, target=ast.unparse(keyword.value))


def _inside(own: Computed) -> Iterator[Computed]:
    """What expressions within the value keep: a walrus, the elements of a comprehension, a lambda's body."""
    inner = f"{own.function}.<locals>." if own.function else ""
    for node in ast.walk(own.value):
        match node:
            case ast.NamedExpr(ast.Name(name), value):
                yield replace(own, value=value, target=name)
            case ast.ListComp(element, loops) | ast.GeneratorExp(element, loops):
                kind = "listcomp" if isinstance(node, ast.ListComp) else "genexpr"
                names = [
                    each.id for one in loops for each in ast.walk(one.target) if isinstance(each, ast.Name)
                ]
                where = f"{inner}<{kind}>"
                yield replace(own, value=element, target="", function=where, loops=(*own.loops, *names))
            case ast.DictComp(_, element):
                yield replace(own, value=element, target="", function=f"{inner}<dictcomp>")
            case ast.Lambda(_, body):
                yield replace(own, value=body, target=RETURNED, function=f"{inner}<lambda>")


def _is_text(constant: object) -> bool:
    return not isinstance(constant, int | float)


def noting(tree: ast.Module) -> ast.Module:
    """The file with every value passed through `NOTE`, which is told its place; lines stay where they are."""
    values = [each.value for each in computed_in(tree) if not each.items]
    wanted = {id(each) for each in values if not (isinstance(each, ast.Constant) and _is_text(each.value))}

    class Noting(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            is_wanted = id(node) in wanted
            self.generic_visit(node)
            if not is_wanted or not isinstance(node, ast.expr):
                return node
            call = ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(place_of(node)), node], [])
            return ast.fix_missing_locations(ast.copy_location(call, node))

    Noting().generic_visit(tree)
    return tree
