"""An independent reader of the LaTeX that we print: it computes what a formula on the page says.

It shares no code with the printer. It knows a page's conventions: a sum reaches to the next + or -, what
stands side by side is multiplied, W^{(2)}_{kj} is the element of the tensor W2.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\[_,\\]|\d+(?:\.\d+)?|.")
GREEK = {"alpha", "beta", "gamma", "delta", "mu", "sigma", "theta", "omega", "Gamma"}
PLAIN = {"varepsilon": "epsilon", "varphi": "phi"}
COMPARISONS = {"<": "<", ">": ">", "=": "==", r"\le": "<=", r"\ge": ">=", r"\ne": "!="}


def special(name: str) -> Callable[..., Any]:
    from symbackprop.functions.table import FUNCTIONS

    return FUNCTIONS[name].evaluate


NAMED = {
    r"\sigma": "sigmoid",
    r"\log": "log",
    r"\exp": "exp",
    r"\sin": "sin",
    r"\cos": "cos",
    r"\tan": "tan",
    r"\arcsin": "asin",
    r"\arccos": "acos",
    r"\arctan": "atan",
    r"\sinh": "sinh",
    r"\cosh": "cosh",
    r"\tanh": "tanh",
    r"\psi": "digamma",
    r"\Phi": "normcdf",
    r"\max": "max",
    r"\min": "min",
}

Value = Callable[[Mapping[str, int]], Any]


@dataclass(frozen=True)
class Page:
    """What the names on the page stand for: arrays, sizes by axis, and each index's axis."""

    arrays: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]
    axis_of: Mapping[str, str]


def evaluate(latex: str, page: Page, at: Mapping[str, int]) -> Any:
    """The number that the formula says where its free indices stand at `at`."""
    reader = Reader(latex, page)
    value = reader.sum()
    assert reader.rest() == "", f"not read to its end: {reader.rest()}"
    return value(at)


class Reader:
    def __init__(self, latex: str, page: Page) -> None:
        latex = re.sub(r"\\(?:big|Big|bigg|Bigg)([lr])\|", r"\\\1vert ", latex)
        latex = re.sub(r"\\(big|Big|bigg|Bigg)[lr]", "", latex).replace("{}", "")
        self.tokens = [token for token in TOKEN.findall(latex) if token != " "]
        self.at = 0
        self.page = page
        self.indicators: list[Value] = []

    # ---- tokens

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        assert not expected or token in expected, f"expected {expected}, got {token}: {self.rest()}"
        self.at += 1
        return token

    def next_is(self, *tokens: str) -> bool:
        return all(self.peek(ahead) == token for ahead, token in enumerate(tokens))

    def rest(self) -> str:
        return " ".join(self.tokens[self.at :])

    def braces(self) -> str:
        """The raw text between braces."""
        self.take("{")
        depth, inside = 1, []
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if depth == 0:
                return " ".join(inside)
            inside.append(token)

    def within(self, left: str, right: str) -> Value:
        self.take(left)
        value = self.sum()
        self.take(right)
        return value

    # ---- arithmetic

    def sum(self) -> Value:
        sign = -1 if self.peek() == "-" else 1
        if sign < 0:
            self.take("-")
        terms = [(sign, self.product())]
        while self.peek() in ("+", "-") and self.peek():
            sign = 1 if self.take() == "+" else -1
            terms.append((sign, self.product()))
        return lambda at: sum(sign * term(at) for sign, term in terms)

    def product(self) -> Value:
        factors = [self.power()]
        while True:
            if self.peek() in (r"\cdot", r"\,") and self.peek(1) != "]":
                self.take()
            elif not self.starts_factor():
                break
            factors.append(self.power())

        def value(at: Mapping[str, int]) -> Any:
            total = 1.0
            for factor in factors:
                total = total * factor(at)
                if total == 0 and factor in self.indicators:
                    return total  # what the bracket leaves out is not looked at
            return total

        return value

    def starts_factor(self) -> bool:
        token = self.peek()
        if token in ("", "+", "-", ")", "]", "}", "&", ",", "<", ">", "=", r"\rvert", r"\,", r"\\", "'"):
            return False
        if token in (r"\rfloor", r"\rceil"):
            return False
        return token not in (*COMPARISONS, r"\land", r"\lor", r"\end", r"\text", r"\begin")

    def power(self) -> Value:
        base = self.base()
        if self.peek() != "^":
            return base
        self.take("^")
        exponent = Reader(slashed(self.braces()), self.page).sum()
        return lambda at: np.float64(base(at)) ** exponent(at)

    def base(self) -> Value:
        token = self.peek()
        if re.fullmatch(r"\d+(\.\d+)?", token):
            number = float(self.take())
            return lambda at: number
        if token == "(":
            return self.inverse() or self.parenthesis()
        if self.next_is(r"\det", "("):
            return self.determinant()
        if self.next_is(r"\operatorname", "{", *"cof"):
            return self.cofactor()
        if self.next_is(r"\operatorname", "{", *"pad"):
            return self.padded()
        if self.next_is(r"\log", r"\lvert", r"\det"):
            self.take(), self.take()
            determinant = self.determinant()
            self.take(r"\rvert")
            return lambda at: np.log(abs(determinant(at)))
        if token == "[":
            return self.indicator()
        if token in (r"\lfloor", r"\lceil"):
            value = self.within(token, token.replace("l", "r", 1))
            step = math.floor if token == r"\lfloor" else math.ceil
            return lambda at: float(step(value(at)))
        if token == r"\lvert":
            value = self.within(r"\lvert", r"\rvert")
            return lambda at: abs(value(at))
        if token == r"\frac":
            self.take()
            top, bottom = self.argument(), self.argument()
            return lambda at: np.float64(top(at)) / np.float64(bottom(at))
        if token == r"\sqrt":
            self.take()
            radicand = self.argument()
            return lambda at: np.sqrt(np.float64(radicand(at)))
        if token in (r"\sum", r"\prod") or (token in (r"\max", r"\min") and self.peek(1) == "_"):
            return self.reduction()
        if token == r"\begin":
            return self.cases()
        if self.next_is("e", "^"):
            self.take(), self.take()
            exponent = Reader(self.braces(), self.page).sum()
            return lambda at: np.exp(exponent(at))
        return self.function() or self.name()

    def argument(self) -> Value:
        return Reader(self.braces(), self.page).sum()

    def parenthesis(self) -> Value:
        start = self.at
        self.take("(")
        value = self.sum()
        if self.peek() == ")":
            self.take()
            return value
        assert self.peek() == r"\text", self.rest()
        self.at = start
        return self.written_out_choice()

    def inverse(self) -> Value | None:
        """(X^{-1})_{ij}, where X is a whole matrix; None where something else stands in the parenthesis."""
        start = self.at
        self.take("(")
        try:
            matrix = self.matrix()
            self.take("^")
            assert self.braces() == "- 1"
            self.take(")")
            row, column = self.positions()
        except (AssertionError, ValueError):
            self.at = start
            return None
        return lambda at: np.linalg.inv(matrix(at))[int(row(at)), int(column(at))]

    def cofactor(self) -> Value:
        r"""\operatorname{cof}(X)_{ij}, of an invertible matrix."""
        self.take(r"\operatorname"), self.braces()
        self.take("(")
        matrix = self.matrix()
        self.take(")")
        row, column = self.positions()
        inverse = np.linalg.inv
        return lambda at: (np.linalg.det(matrix(at)) * inverse(matrix(at)))[int(column(at)), int(row(at))]

    def padded(self) -> Value:
        r"""\operatorname{pad}(x_{i-1}): 0 where a position lies outside."""
        self.take(r"\operatorname"), self.braces()
        self.take("(")
        name = self.symbol()
        if self.peek() == "^":
            self.take("^")
            name += re.sub(r"[() ]", "", self.braces())
        positions = self.positions()
        self.take(")")
        array = self.page.arrays[name]

        def value(at: Mapping[str, int]) -> float:
            place = tuple(int(position(at)) for position in positions)
            inside = all(0 <= each < size for each, size in zip(place, array.shape, strict=True))
            return float(array[place]) if inside else 0.0

        return value

    def determinant(self) -> Value:
        self.take(r"\det")
        self.take("(")
        matrix = self.matrix()
        self.take(")")
        return lambda at: np.linalg.det(matrix(at))

    def matrix(self) -> Value:
        """A whole matrix, in parentheses where its name has a superscript."""
        if self.peek() == "(":
            self.take("(")
            value = self.matrix()
            self.take(")")
            return value
        return self.name()

    def function(self) -> Value | None:
        for tokens, name in ((("\\log", "\\Gamma", "("), "lgamma"), (("\\psi", "'", "("), "trigamma")):
            if self.next_is(*tokens):
                self.at += 2
                return self.applied(name)
        if self.peek() in NAMED and self.peek(1) == "(":
            return self.applied(NAMED[self.take()])
        if self.peek() == r"\operatorname":
            self.take()
            name = self.braces().replace(" ", "")
            return self.applied("stop" if name == "sg" else name)
        return None

    def applied(self, name: str) -> Value:
        self.take("(")
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.take(")")
        evaluate_function = special(name)
        return lambda at: evaluate_function(*(float(argument(at)) for argument in arguments))

    # ---- names

    def symbol(self) -> str:
        """A name as it is typed in the model language, without its scripts."""
        token = self.take()
        if token in (r"\hat", r"\bar", r"\tilde"):
            return Reader(self.braces(), self.page).symbol() + token[1:]
        if token == r"\mathrm":
            return self.braces().replace(" ", "").replace(r"\_", "_")
        name = token.lstrip("\\")
        assert name in GREEK or name in PLAIN or (len(name) == 1 and name.isalpha()), token
        return PLAIN.get(name, name)

    def name(self) -> Value:
        if self.next_is(r"\pi"):
            self.take()
            return lambda at: math.pi
        name = self.symbol()
        if (
            self.next_is("^", "{", "(")
            and self.peek(3).isdigit()
            and self.peek(4) == ")"
            and self.peek(5) == "}"
        ):
            self.take("^")
            name += self.braces().replace(" ", "")[1:-1]
        if self.next_is("^", "{", "(", r"\mathrm"):
            self.take("^")
            name += "_" + re.sub(r"[() {}]|\\mathrm", "", self.braces())
        while self.peek() == "'":
            name += self.take()
        positions = self.positions() if self.peek() == "_" else []
        if name in self.page.arrays:
            array = self.page.arrays[name]
            return lambda at: array[tuple(int(position(at)) for position in positions)]
        if name == "delta":
            left, right = positions
            return lambda at: float(left(at) == right(at))
        assert not positions, name
        if name in self.page.sizes:
            return lambda at: self.page.sizes[name]
        assert name in self.page.axis_of, f"unknown name {name}"
        return lambda at: at[name]

    def index(self) -> str:
        return self.symbol() + "".join(self.tokens[self.at :])

    def positions(self) -> list[Value]:
        self.take("_")
        inside = Reader(self.braces(), self.page)
        found = []
        while inside.peek():
            if "," in inside.tokens:
                found.append(inside.sum())
                if inside.peek():
                    inside.take(",")
            else:
                found.append(inside.name())
        return found

    # ---- forms

    def reduction(self) -> Value:
        kind = self.take()
        self.take("_")
        names = [Reader(name, self.page).index() for name in self.braces().split(",")]
        body = self.product()
        fold = {r"\sum": sum, r"\prod": math.prod, r"\max": max, r"\min": min}[kind]

        def value(at: Mapping[str, int], waiting: list[str] = names) -> Any:
            if not waiting:
                return body(at)
            size = self.page.sizes[self.page.axis_of[waiting[0]]]
            return fold([value({**at, waiting[0]: place}, waiting[1:]) for place in range(size)])

        return value

    def indicator(self) -> Value:
        self.take("[")
        self.take(r"\,")
        condition = self.condition()
        self.take(r"\,")
        self.take("]")
        self.indicators.append(lambda at: float(condition(at)))
        return self.indicators[-1]

    def cases(self) -> Value:
        self.take(r"\begin")
        assert self.braces().replace(" ", "") == "cases"
        chosen = self.sum()
        self.take("&")
        self.words("if")
        condition = self.condition()
        self.take(r"\\")
        otherwise = self.sum()
        self.take("&")
        self.words("otherwise")
        self.take(r"\end")
        self.braces()
        return lambda at: chosen(at) if condition(at) else otherwise(at)

    def written_out_choice(self) -> Value:
        self.take("(")
        chosen = self.sum()
        self.words("if")
        condition = self.condition()
        self.words(",")
        self.words("otherwise")
        otherwise = self.sum()
        self.take(")")
        return lambda at: chosen(at) if condition(at) else otherwise(at)

    def words(self, expected: str) -> None:
        self.take(r"\text")
        assert self.braces().replace(" ", "") == expected

    def condition(self) -> Value:
        alternatives = [self.conjunction()]
        while self.peek() == r"\lor":
            self.take()
            alternatives.append(self.conjunction())
        return lambda at: any(one(at) for one in alternatives)

    def conjunction(self) -> Value:
        operands = [self.negation()]
        while self.peek() == r"\land":
            self.take()
            operands.append(self.negation())
        return lambda at: all(one(at) for one in operands)

    def negation(self) -> Value:
        if self.peek() == r"\lnot":
            self.take()
            operand = self.negation()
            return lambda at: not operand(at)
        start = self.at
        try:
            left = self.sum()
            operator = COMPARISONS[self.take(*COMPARISONS)]
            right = self.sum()
        except AssertionError:
            self.at = start
            self.take("(")
            inside = self.condition()
            self.take(")")
            return inside
        return lambda at: compared(operator, left(at), right(at))


def slashed(exponent: str) -> str:
    """3/2 in an exponent as a fraction."""
    return re.sub(r"^(\d+) / (\d+)$", r"\\frac{\1}{\2}", exponent)


def compared(operator: str, left: Any, right: Any) -> bool:
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[operator]
