"""A gallery of models: a page each with its network, gradient and code, and one that shows them all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from symbackprop.emission.environment import render
from symbackprop.errors import EmissionError
from symbackprop.languages.phrases import worded
from symbackprop.lesson.document import Document, Equations
from symbackprop.lesson.lesson import result_by_blocks
from symbackprop.lesson.markdown import escaped, markdown_fragment
from symbackprop.lesson.paper import typesetter_of
from symbackprop.pages.links import Links
from symbackprop.pages.network import network_svg
from symbackprop.pages.page import MOST_DRAWN
from symbackprop.pipeline import Model, ModelDerivation, load
from symbackprop.systems.system import Role

INDEX = "index"
MOST_EQUATIONS = 6  # of one gradient on the page that shows all
_PUBLISHED = re.compile(r"^grad_(\w+)", flags=re.MULTILINE)
_WORD = re.compile(r"[a-z][a-z-]*(?=[ ,:;.]|$)")
_END_OF_TITLE = re.compile(r"[:;,.] |\.$| \(")


@dataclass(frozen=True)
class Published:
    """A gradient as its source prints it, in the model language."""

    source: str
    equations: str

    @classmethod
    def beside(cls, path: Path) -> Published:
        """That of the file NAME.published beside a model, or an empty one."""
        file = path.with_suffix(".published")
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        comment = _comment(lines)
        return cls(" ".join(comment), "\n".join(lines[len(comment) :]))

    @property
    def wrt(self) -> list[str]:
        """The tensors that it differentiates by."""
        return _PUBLISHED.findall(self.equations)


NOT_PUBLISHED = Published("", "")


@dataclass(frozen=True)
class Exhibit:
    """The strings of one model's page; `title`, `description` and formulas are Markdown.

    `picture` is "" where the network is too large to draw. `beginning` are the first MOST_EQUATIONS of the
    result, and `others` is the number of the rest.
    """

    name: str
    group: str
    title: str
    description: str
    language: str
    model: str
    picture: str
    beginning: str
    others: int
    result: str
    source: str
    published: str
    code: str

    @property
    def link(self) -> str:
        """The address of its page, beside the others."""
        return quote(f"{self.name}.md")


def gallery(exhibits: Sequence[Exhibit]) -> Mapping[str, str]:
    """The pages by the names of their files; EmissionError where two models have one name."""
    names = [INDEX, *(exhibit.name for exhibit in exhibits)]
    for place, name in enumerate(names):
        if name.casefold() in map(str.casefold, names[:place]):
            raise EmissionError(
                worded("two pages would be written as {name}.md", name=name),
                remedy=worded("rename one of the models"),
            )
    groups: dict[str, list[Exhibit]] = {}
    for exhibit in exhibits:
        groups.setdefault(exhibit.group, []).append(exhibit)
    pages = {exhibit.name: render("gallery/exhibit.md.j2", exhibit=exhibit) for exhibit in exhibits}
    index = render("gallery/index.md.j2", groups=groups)
    return {f"{name}.md": text for name, text in {INDEX: index, **pages}.items()}


def exhibit(path: Path) -> Exhibit:
    """The exhibit of a model in a file, differentiated by the tensors of `Published.beside`.

    Where nothing is published they are the parameters and, where there are none, the inputs of real numbers.
    """
    model, published = load(path), Published.beside(path)
    derived = model.derive(published.wrt or _differentiable(model))
    return exhibit_of(derived, path, path.read_text(encoding="utf-8").strip("\n"), published)


def exhibit_of(
    derived: ModelDerivation, path: Path, text: str, published: Published = NOT_PUBLISHED
) -> Exhibit:
    """The exhibit of a derived model; its module is verified, MismatchError where it is not its equations."""
    derivation = derived.derivation
    lines = result_by_blocks(derivation).lines
    beginning = Document("", (Equations(lines[:MOST_EQUATIONS]),))
    comment = " ".join(_comment(text.splitlines()))
    title = _END_OF_TITLE.split(comment, maxsplit=1)[0] or path.stem.replace("_", " ")
    drawn = len(derivation.system.equations) <= MOST_DRAWN
    return Exhibit(
        name=path.stem,
        group=escaped(_capitalised(path.resolve().parent.name.replace("_", " "))),
        title=escaped(_capitalised(title)),
        description=escaped(_capitalised(comment if comment != title else "")),
        language=path.suffix.removeprefix(".") or "model",
        model=text,
        picture=network_svg(derivation, Links({})) if drawn else "",
        beginning=markdown_fragment(beginning, typesetter_of(derivation)).strip("\n"),
        others=max(len(lines) - MOST_EQUATIONS, 0),
        result=derived.result_markdown().strip("\n"),
        source=escaped(published.source),
        published=published.equations.strip("\n"),
        code=derived.to_numpy().strip("\n"),
    )


def _differentiable(model: Model) -> list[str] | None:
    """None, for every parameter, or the inputs of real numbers of a model without parameters."""
    if model.system.with_role(Role.PARAMETER):
        return None
    return [tensor.name for tensor in model.system.with_role(Role.INPUT) if tensor.values is None]


def _comment(lines: Sequence[str]) -> list[str]:
    """The lines of the comment that a text begins with, without their marks."""
    return [line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines)]


def _capitalised(words: str) -> str:
    """Beginning with a capital letter, where the first word is one: the a of a' b is not."""
    return words[:1].upper() + words[1:] if _WORD.match(words) else words
