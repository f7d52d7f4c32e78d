"""What a statement in a loop reads at the wrong step, or does not carry on from step to step."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbackprop.auditing.sites import Proposal, Site
from symbackprop.auditing.syntax_parts import expression, text_of
from symbackprop.languages.phrases import worded


def step(site: Site) -> Iterator[Proposal]:
    """In a loop, a value is read a step early or late."""
    for node in ast.walk(site.value):
        if not isinstance(node, ast.Subscript):
            continue
        for index in [each for each in ast.walk(node.slice) if isinstance(each, ast.BinOp | ast.Name)]:
            named = {each.id for each in ast.walk(index) if isinstance(each, ast.Name)}
            if not named & set(site.loops):
                continue
            variable = ast.Name(sorted(named & set(site.loops))[0], ast.Load())
            for text in ("t", "t - 1", "t + 1"):
                new = expression(text, t=variable)
                if text_of(new) != text_of(index):
                    sentence = worded(
                        "reads {node}, should read it at {new}", node=text_of(node), new=text_of(new)
                    )
                    yield Proposal(index, new, "step", sentence)


def items_at_steps(site: Site) -> list[str]:
    """The items that the function reads at a step of the loops around a statement: x[t]."""
    items = [node for node in ast.walk(site.own.outer) if isinstance(node, ast.Subscript)]
    read = [each for each in items if isinstance(each.ctx, ast.Load) and text_of(each.value) in site.values]
    return list(dict.fromkeys([text_of(each) for each in read if _variables(each.slice) & set(site.loops)]))


def _variables(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def carried_term(site: Site) -> Iterator[Proposal]:
    """What a loop carries on from step to step is lost: s = u @ U for s = (1 - a)*s + u @ U."""
    carried = site.target if site.loops and isinstance(site.whole_statement, ast.Assign) else ""
    is_read = any(text == carried for _, text in site.reads)
    if not carried.isidentifier() or carried not in site.values or is_read or site.shape is None:
        return
    others = [name for name, array in site.values.items() if array.dtype.kind == "f" and name != carried]
    fitting = [name for name in others if name.isidentifier() and site.values[name].ndim <= len(site.shape)]
    for factor in ("", *(shown for name in fitting for shown in (f"{name} * ", f"(1 - {name}) * "))):
        term = f"{factor}{carried}"
        new = ast.BinOp(site.value, ast.Add(), expression(term))
        sentence = worded("the term {term} of {what} is missing", term=term, what=site.said)
        yield Proposal(site.value, new, "missing term", sentence, order=1)
