r"""What stands in front of a derivation on paper: the indices, the symbols with their shapes, the signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.derivation.result import Derivation
from symbackprop.notation.expressions import Axis, Element, Index, Size
from symbackprop.systems.system import Role, System, Tensor
from symbackprop.typesetting.formulas import PLAIN, Typesetter
from symbackprop.typesetting.names import escaped
from symbackprop.typesetting.symbols import expect_symbol, symbols_of

_ROLES = {
    Role.INPUT: "input",
    Role.TARGET: "target",
    Role.PARAMETER: "parameter",
    Role.SIZE: "size",
    Role.CONSTANT: "constant",
    Role.DERIVED: "computed",
}

# A sign, as a page that has it contains it, and what it means.
BRACKET = (r"\[\\,", r"The bracket $[\,c\,]$ is 1 where the condition $c$ holds and 0 elsewhere.")
PADDED = (
    r"\\operatorname\{pad\}",
    r"$\operatorname{pad}(a_{p})$ is $a_{p}$ where the position $p$ lies inside $a$, and 0 elsewhere.",
)
# In the order in which they are explained.
_SIGNS = (
    (r"\\delta_\{", r"$\delta_{ij}$ (Kronecker's delta) is 1 where $i = j$ and 0 elsewhere."),
    (
        r"\\delta\^\{",
        r"$\delta^{(u)}$, with the name of a tensor or the number of a layer above, is the error signal "
        r"there: the derivative of the loss by $u$.",
    ),
    (r"\\nabla\^\{", r"$\nabla^{(\gamma)}$ is the gradient of the loss by $\gamma$."),
    BRACKET,
    PADDED,
    (r"\\bmod", r"$m \bmod n$ is the remainder of $m$ divided by $n$."),
    (r"\\lfloor", r"$\lfloor a \rfloor$ is the greatest whole number that is not above $a$."),
    (r"\\operatorname\{sg\}", r"$\operatorname{sg}(a)$ is $a$, without a derivative (stop gradient)."),
    (r"\\operatorname\{mean\}", r"$\operatorname{mean}_{i}$ is the arithmetic mean over the index $i$."),
    (r"\\operatorname\{var\}", r"$\operatorname{var}_{i}$ is the mean square of what differs from the mean."),
    (r"\\operatorname\{cof\}", r"$\operatorname{cof}(X)$ is the matrix of the cofactors of $X$."),
    (
        r"arg\\,max",
        r"$\operatorname*{arg\,max}_{i} a_{i}$ is the first place of the greatest $a_{i}$.",
    ),
    (r"\\sigma[(\\]", r"$\sigma(a) = 1/(1 + e^{-a})$ is the logistic function."),
    (r"\\Phi", r"$\Phi$ is the distribution function of the standard normal distribution."),
    (r"\\odot", r"$\odot$ is the product element by element."),
    (r"\\mathbf\{1\}", r"$\mathbf{1}$ is a column of ones."),
    (
        r"\\top",
        r"A tensor of two indices is a matrix whose rows are counted by the first; one of one is a column.",
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


NO_PAPER = Paper()


def paper_of(derivation: Derivation, symbols: Mapping[str, str]) -> Paper:
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
    typesetter = Typesetter(symbols_of(names, {**stated_symbols(system), **symbols}))
    rows = [_tensor_row(tensor, typesetter) for role in _ROLES for tensor in system.with_role(role)]
    for adjoint in added:
        of = (Element(adjoint.total.numerator.tensor), Element(adjoint.total.denominator.tensor))
        meaning = r" / \allowbreak ".join(rf"\partial {typesetter.latex(element)}" for element in of)
        rows.append(_row(adjoint.equation.element, f"${meaning}$", typesetter, is_given=False))
    asked = ", ".join(f"${typesetter.latex(Element(name))}$" for name in derivation.wrt)
    loss = f"${typesetter.latex(Element(system.loss or ''))}$"
    title = f"{escaped(system.name)}: the gradient of {loss} by {asked}"
    return Paper(title, typesetter, tuple(_runs(system, typesetter)), tuple(rows), numbered=True)


def stated_typesetter(system: System) -> Typesetter:
    """Sets the tensors to which the model gives symbols by these, and all others as their names are read."""
    symbols = stated_symbols(system)
    return Typesetter(symbols_of(symbols, symbols)) if symbols else PLAIN


def stated_symbols(system: System) -> dict[str, str]:
    """Tensor to its LaTeX, where the model gives it."""
    return {name: tensor.symbol for name, tensor in system.tensors.items() if tensor.symbol}


def signs_on(body: str, signs: Sequence[tuple[str, str]] = _SIGNS) -> tuple[str, ...]:
    """What the signs mean that a page shows, in LaTeX."""
    return tuple(meaning for pattern, meaning in signs if re.search(pattern, body))


def _tensor_row(tensor: Tensor, typesetter: Typesetter) -> SymbolRow:
    meaning = _ROLES[tensor.role]
    if tensor.values is not None:
        meaning += f", whole numbers: places of {_size(tensor.values, typesetter)}"
    return _row(tensor.element, meaning, typesetter)


def _row(element: Element, meaning: str, typesetter: Typesetter, is_given: bool = True) -> SymbolRow:
    box = typesetter.box(element)
    axes = [position.axis for position in element.positions if isinstance(position, Index)]
    sizes = r" \times ".join(typesetter.latex(Size(axis)) for axis in axes)
    shape = f"${sizes}$" if sizes else "scalar"
    sign = typesetter.latex(Element(element.tensor))
    return SymbolRow(box.latex, box.width, element.tensor, shape, meaning, sign, is_given)


def _size(axis: Axis, typesetter: Typesetter) -> str:
    return f"${typesetter.latex(Size(axis))}$"


def _runs(system: System, typesetter: Typesetter) -> Iterator[str]:
    """0 <= b < B for each axis, with its number where that is known."""
    for axis, indices in system.index_names.items():
        shown = ", ".join(typesetter.latex(index) for index in indices if not index.name.endswith("'"))
        number = f" = {axis.size}" if axis.size is not None else ""
        yield rf"$0 \le {shown} < {typesetter.latex(Size(axis))}{number}$"
