r"""What stands in front of a derivation on paper: the indices, the symbols with their shapes, the signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.derivation.result import Derivation
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, phrase, text_in, translated
from symbackprop.lesson.document import title_of
from symbackprop.notation.expressions import Axis, Element, Index, Size
from symbackprop.systems.system import Role, System, Tensor
from symbackprop.typesetting.formulas import PLAIN, Typesetter
from symbackprop.typesetting.names import escaped
from symbackprop.typesetting.symbols import expect_symbol, stated_symbols, symbols_in, symbols_of

_SCALAR = marked("scalar")
_ROLES = {
    Role.INPUT: marked("input"),
    Role.TARGET: marked("target"),
    Role.PARAMETER: marked("parameter"),
    Role.SIZE: marked("size"),
    Role.CONSTANT: marked("constant"),
    Role.DERIVED: marked("computed"),
}

# A sign, as a page that has it contains it, and what it means.
BRACKET = (
    r"\[\\,",
    marked(
        r"The bracket $[\,c\,]$ is 1 where the condition $c$ holds and 0 elsewhere, as is then what it is "
        r"multiplied by."
    ),
)
PADDED = (
    r"\\operatorname\{pad\}",
    marked(
        r"$\operatorname{pad}(a_{p})$ is $a_{p}$ where the position $p$ lies inside $a$, and 0 elsewhere."
    ),
)
# In the order in which they are explained.
_SIGNS = (
    (r"\\delta_\{", marked(r"$\delta_{ij}$ (Kronecker's delta) is 1 where $i = j$ and 0 elsewhere.")),
    (
        r"\\delta\^\{",
        marked(
            r"$\delta^{(u)}$, with the name of a tensor or the number of a layer above, is the error signal "
            r"there: the derivative of the loss by $u$."
        ),
    ),
    (r"\\nabla\^\{", marked(r"$\nabla^{(\gamma)}$ is the gradient of the loss with respect to $\gamma$.")),
    BRACKET,
    PADDED,
    (r"\\bmod", marked(r"$m \bmod n$ is the remainder of $m$ divided by $n$.")),
    (r"\\lfloor", marked(r"$\lfloor a \rfloor$ is the greatest whole number that is not above $a$.")),
    (
        r"\\operatorname\{sg\}",
        marked(r"$\operatorname{sg}(a)$ is $a$, without a derivative (stop gradient)."),
    ),
    (
        r"\\operatorname\{mean\}",
        marked(r"$\operatorname{mean}_{i}$ is the arithmetic mean over the index $i$."),
    ),
    (
        r"\\operatorname\{var\}",
        marked(r"$\operatorname{var}_{i}$ is the mean square of what differs from the mean."),
    ),
    (r"\\operatorname\{cof\}", marked(r"$\operatorname{cof}(X)$ is the matrix of the cofactors of $X$.")),
    (
        r"arg\\,max",
        marked(r"$\operatorname*{arg\,max}_{i} a_{i}$ is the first place of the greatest $a_{i}$."),
    ),
    (r"\\sigma[(\\]", marked(r"$\sigma(a) = 1/(1 + e^{-a})$ is the logistic function.")),
    (r"\\Phi", marked(r"$\Phi$ is the distribution function of the standard normal distribution.")),
    (r"\\odot", marked(r"$\odot$ is the product element by element.")),
    (
        r"\\operatorname\{diag\}",
        marked(r"$\operatorname{diag}(v)$ has the elements of $v$ on its diagonal and 0 elsewhere."),
    ),
    (r"\\mathbf\{1\}", marked(r"$\mathbf{1}$ is a column of ones.")),
    (
        r"\\top",
        marked(
            "A tensor with two indices is a matrix, whose rows the first one counts; one with one index is a "
            "column."
        ),
    ),
)


@dataclass(frozen=True)
class SymbolRow:
    """A line of the table of symbols, in LaTeX; `typed` is the model's name, `width` the symbol's in ems.

    One that is not `is_given` by the model is listed where a page shows it.
    """

    symbol: str
    width: float
    typed: str
    shape: str
    meaning: str
    sign: str
    """The symbol without indices, by which a page is known to show it."""
    is_given: bool = True


@dataclass(frozen=True)
class Paper:
    """What a document says before its derivation; nothing by default."""

    title: str = ""
    typesetter: Typesetter = PLAIN
    indices: tuple[str, ...] = ()
    symbols: tuple[SymbolRow, ...] = ()
    numbered: bool = field(default=False, kw_only=True)
    language: Language = Language.ENGLISH


NO_PAPER = Paper()


def paper_of(
    derivation: Derivation, symbols: Mapping[str, str], language: Language = Language.ENGLISH
) -> Paper:
    """The indices and symbols of a derivation, adjoints included; `symbols` are LaTeX for names, over the
    model's own.

    Raises NotationError for an unknown name and for LaTeX that is no symbol.
    """
    system = derivation.system
    added = [each for each in derivation.adjoints if each.kept and each.equation.tensor not in system.tensors]
    names = (*system.tensors, *(each.equation.tensor for each in added))
    for name, latex in symbols.items():
        if name not in names:
            system.tensor(name)
        expect_symbol(name, latex)
    typesetter = Typesetter(symbols_of(names, {**stated_symbols(system), **symbols}), language)
    rows = [_tensor_row(tensor, typesetter, language) for role in _ROLES for tensor in system.with_role(role)]
    for adjoint in added:
        of = (Element(adjoint.total.numerator.tensor), Element(adjoint.total.denominator.tensor))
        meaning = r" / \allowbreak ".join(rf"\partial {typesetter.latex(element)}" for element in of)
        row = _row(adjoint.equation.element, f"${meaning}$", typesetter, language)
        rows.append(replace(row, is_given=False))
    asked = ", ".join(f"${typesetter.latex(Element(name))}$" for name in derivation.wrt)
    loss = f"${typesetter.latex(Element(system.loss or ''))}$"
    title = text_in(title_of(escaped(system.name), loss, asked), language)
    runs = tuple(_runs(system, typesetter))
    return Paper(title, typesetter, runs, tuple(rows), numbered=True, language=language)


def typesetter_of(derivation: Derivation, language: Language = Language.ENGLISH) -> Typesetter:
    """Sets each tensor as the model says, and any other as its name reads beside the others."""
    return Typesetter(symbols_in(derivation), language)


def signs_on(
    body: str, signs: Sequence[tuple[str, str]] = _SIGNS, language: Language = Language.ENGLISH
) -> tuple[str, ...]:
    """What the signs mean that a page shows, in LaTeX."""
    return tuple(translated(meaning, language) for pattern, meaning in signs if re.search(pattern, body))


def _tensor_row(tensor: Tensor, typesetter: Typesetter, language: Language) -> SymbolRow:
    meaning = phrase(_ROLES[tensor.role])
    if tensor.values is not None:
        axis = _size(tensor.values, typesetter)
        meaning = phrase("{role}, whole numbers: places of {axis}", role=meaning, axis=axis)
    return _row(tensor.element, text_in(meaning, language), typesetter, language)


def _row(element: Element, meaning: str, typesetter: Typesetter, language: Language) -> SymbolRow:
    box = typesetter.box(element)
    axes = [position.axis for position in element.positions if isinstance(position, Index)]
    sizes = r" \times ".join(typesetter.latex(Size(axis)) for axis in axes)
    shape = f"${sizes}$" if sizes else translated(_SCALAR, language)
    sign = typesetter.latex(Element(element.tensor))
    return SymbolRow(box.latex, box.width, element.tensor, shape, meaning, sign)


def _size(axis: Axis, typesetter: Typesetter) -> str:
    return f"${typesetter.latex(Size(axis))}$"


def _runs(system: System, typesetter: Typesetter) -> Iterator[str]:
    """0 <= b < B for each axis, with its number where that is known."""
    for axis, indices in system.index_names.items():
        shown = ", ".join(typesetter.latex(index) for index in indices if not index.name.endswith("'"))
        number = f" = {axis.size}" if axis.size is not None else ""
        yield rf"$0 \le {shown} < {typesetter.latex(Size(axis))}{number}$"
