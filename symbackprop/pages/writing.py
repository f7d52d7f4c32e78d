"""Words, formulas, code and numbers of lines as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from symbackprop.derivation.result import Derivation
from symbackprop.explanation.blocks import Approximately, Code, Lines, Shown
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import in_language
from symbackprop.notation.arithmetic import factors_of, terms_of
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Expression
from symbackprop.pages.breaking import breakable
from symbackprop.pages.links import Links, numbers_of
from symbackprop.pages.mathml import MathPrinter
from symbackprop.pages.stated_symbols import set_apart
from symbackprop.systems.system import Equation, Fact
from symbackprop.typesetting.symbols import symbols_in

APPROXIMATELY = "\u2248"
# A formula and the stop or bracket behind it: browsers break a line between the two.
_CLOSED = re.compile(r"<math\b(?:(?!</?math\b).)*</math>[.,;:)\u3001\u3002]+", re.DOTALL)


@dataclass(frozen=True)
class Writer:
    """Writes one page's parts; a name is linked to the lines that compute it, and these to the name.

    Where the page goes through the code step by step, `has_steps`, they lead to the step, not to the model.
    """

    printer: MathPrinter
    links: Links
    language: Language = Language.ENGLISH
    has_steps: bool = False

    @classmethod
    def of(cls, derivation: Derivation, links: Links, language: Language) -> Writer:
        """The writer of a derivation's page in a language."""
        names = {adjoint.tensor: adjoint.equation.tensor for adjoint in derivation.adjoints}
        symbols = set_apart(symbols_in(derivation))
        return cls(MathPrinter(derivation.system.loss or "", names, symbols, language), links, language)

    def words(self, parts: Sequence[Shown]) -> str:
        """A sentence, its phrases in the page's language."""
        shown = "".join(map(self._part, in_language(tuple(parts), self.language)))
        return _CLOSED.sub(r'<span class="whole">\g<0></span>', shown)

    def _part(self, part: Shown) -> str:
        match part:
            case str():
                return escape(part)
            case Code(text):
                return f"<code>{escape(text)}</code>"
            case Lines(spans):
                return ", ".join(self._line_link(span.first, span.numbers, span.last) for span in spans)
            case Approximately():
                return APPROXIMATELY
            case Equation():
                return self.equation(part.element, part.expression)
            case Fact(left, right):
                return self.equation(left, right)
            case Derivative():
                return self.printer.slashed(part)
        return self.formula(part, in_sentence=True)

    def _line_link(self, first: int, numbers: str, last: int) -> str:
        lines = " ".join(map(str, range(first, last + 1)))
        return f'<a class="line-link" href="#L{first}" data-l="{lines}">{numbers}</a>'

    def formula(self, expression: Expression, in_sentence: bool = False) -> str:
        """A formula that may break between its terms; a product of derivatives has one link each."""
        return " ".join(breakable(self.printer, term, in_sentence) for term in _parts(expression))

    def equation(self, left: Expression, right: Expression) -> str:
        """left = right, one after the other, in a sentence."""
        return f'{self.printer.inline(left)} <span class="equals">=</span>&nbsp;{self.formula(right, True)}'

    def term(self, expression: Expression, place: bool = True) -> str:
        """A left-hand side: a link to the lines that compute it, and the place where it is explained."""
        name = self.name_of(expression)
        shown = breakable(self.printer, expression)
        target = self.links.target_of(name)
        if not target or name is None:
            return shown
        where = self.links.place(name) if place else ""
        numbers = " ".join(map(str, numbers_of(self.links.spans[name])))
        attributes = f'{where} class="term" href="{target}" data-t="{escape(name)}" data-l="{numbers}"'
        return f"<a{attributes}>{shown}</a>"

    def name_of(self, expression: Expression) -> str | None:
        """The name that a left-hand side is computed by."""
        match expression:
            case Element(tensor):
                return tensor
            case Derivative(numerator, denominator) if numerator.tensor == self.printer.loss:
                return self.printer.derivatives.get(denominator.tensor)
        return None


def _parts(expression: Expression) -> Sequence[Expression]:
    """The factors of a product of derivatives, which is too long for a line; else the whole."""
    factors = factors_of(expression)
    alone = len(terms_of(expression)) == 1 and len(factors) > 1
    return factors if alone and all(isinstance(factor, Derivative) for factor in factors) else (expression,)
