"""A model's text as trees, for the shrinker: a small reader of its own, which knows no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

TOKEN = re.compile(r"\s*(<=|>=|==|!=|[A-Za-z_]\w*|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[-+*/^()\[\],<>])")
LEVELS = (("or",), ("and",), ("not",), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"))
ATOM = len(LEVELS) + 2


@dataclass(frozen=True)
class Node:
    """`level` is the precedence; `words` stand before, between and behind the children."""

    level: int
    words: tuple[str, ...]
    children: tuple[Node, ...] = ()

    def __str__(self) -> str:
        if not self.children:
            return self.words[0]
        parts = [self.words[0]]
        for place, (child, word) in enumerate(zip(self.children, self.words[1:], strict=True)):
            shown = str(child)
            looser = child.level < self.level or (child.level == self.level and place and self.level < ATOM)
            enclosed = self.level < ATOM and (looser or (shown.startswith("-") and (place or parts[0])))
            parts += [f"({shown})" if enclosed else shown, word]
        return "".join(parts)

    def walk(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Node]]:
        """Every node with the way to it, parents first."""
        yield path, self
        for place, child in enumerate(self.children):
            yield from child.walk((*path, place))

    def put(self, path: tuple[int, ...], node: Node) -> Node:
        """The same tree with another node there."""
        if not path:
            return node
        first, *rest = path
        children = list(self.children)
        children[first] = children[first].put(tuple(rest), node)
        return replace(self, children=tuple(children))


def leaf(word: str) -> Node:
    """A number or a bare name."""
    return Node(ATOM, (word,))


class Reader:
    """Recursive descent, one method a level."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        self.place = 0

    def ahead(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def level(self, level: int = 0) -> Node:
        if level == len(LEVELS):
            return self.signed()
        if LEVELS[level] == ("not",):
            if self.ahead() != "not":
                return self.level(level + 1)
            self.take()
            return Node(level, ("not ", ""), (self.level(level),))
        children, words = [self.level(level + 1)], [""]
        while self.ahead() in LEVELS[level]:
            word = self.take()
            words.append(word if word in "*/" else f" {word} ")
            children.append(self.level(level + 1))
        return Node(level, (*words, ""), tuple(children)) if len(children) > 1 else children[0]

    def signed(self) -> Node:
        if self.ahead() == "-":
            self.take()
            return Node(len(LEVELS), ("-", ""), (self.signed(),))
        base = self.atom()
        if self.ahead() == "^":
            self.take()
            return Node(len(LEVELS) + 1, ("", "^", ""), (base, self.signed()))
        return base

    def atom(self) -> Node:
        word = self.take()
        if word == "(":
            inner = self.level()
            self.take()
            return inner
        for opening, closing in (("(", ")"), ("[", "]")):
            if self.ahead() == opening:
                self.take()
                children = [self.level()]
                while self.take() == ",":
                    children.append(self.level())
                between = (", " if opening == "(" else ",",) * (len(children) - 1)
                call = Node(ATOM, (f"{word}{opening}", *between, closing), tuple(children))
                return self._positions(call)
        return leaf(word)

    def _positions(self, call: Node) -> Node:
        """inv(X)[i,j]: what stands behind a call."""
        if self.ahead() != "[":
            return call
        self.take()
        children = [self.level()]
        while self.take() == ",":
            children.append(self.level())
        words = (*call.words[:-1], f"{call.words[-1]}[", *(",",) * (len(children) - 1), "]")
        return Node(ATOM, words, (*call.children, *children))


def formula(text: str) -> Node:
    """The tree of a right-hand side."""
    return Reader(text).level()
