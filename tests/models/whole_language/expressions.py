"""The right-hand sides and conditions of random models."""

from __future__ import annotations

from tests.models.whole_language.names import (
    AXIS_OF,
    INDICES,
    Scope,
    declared,
    extremum_over,
    inside,
    with_index,
)
from tests.models.whole_language.readings import Readings

BOUNDED = ("tanh", "sigmoid", "sin", "cos", "atan", "erf", "normcdf")
SMOOTH = ("softplus", "gelu", "silu", "tanh", "sigmoid", "relu", "relu", "abs", "sign")
SAFE = (
    "exp(-({})^2)",
    "log(2 + ({})^2)",
    "sqrt(1 + ({})^2)",
    "log1p(({})^2)",
    "exp(tanh({}))",
    "expm1(tanh({}))",
)
SPECIAL = (
    "asin(tanh({})/2)", "acos(tanh({})/2)", "sinh(tanh({}))", "cosh(sin({}))", "tan(tanh({})/2)",
    "lgamma(2 + ({})^2)", "digamma(2 + ({})^2)", "erf({})", "normcdf({})", "sqrt(abs({}))",
)  # fmt: skip
BARE = ("exp({})", "log({})", "sqrt({})", "1/({})", "({})^(3/2)", "({})^(-1)")
NUMBERS = ("2", "1/2", "3", "1", "0.1", "1.5", "-1", "3/4", "0")


class Expressions(Readings):
    """Draws formulas over the tensors written so far and the indices in scope."""

    def number(self) -> str:
        return self.choose(*NUMBERS)

    def condition(self, scope: Scope, depth: int = 1) -> str:
        if depth and self.chance(0.4):
            left, right = self.condition(scope, depth - 1), self.condition(scope, depth - 1)
            return self.choose(f"{left} and {right}", f"{left} or {right}", f"not ({left})", f"not {left}")
        kinds = ["index"] * 3 * bool(scope) + ["size"] + ["indices"] * 2 * (len(scope) > 1)
        kinds += ["value"] * (4 if self.has("value mask") else 1) + ["integer"] * self.has("lookup")
        match self.random.choice(kinds):
            case "index":
                return self._index_condition(self.random.choice(scope))
            case "size":
                index, other = self.any_index(), self.any_index()
                number = self.random.randint(1, 3)
                return self.choose(
                    f"{number} < size({index})",
                    f"size({index}) >= size({other})",
                    f"size({index}) == {number}",
                )
            case "indices":
                first, second = self.random.sample(scope, 2)
                operator = self.choose("<", "<=", "==", "!=", ">=", ">")
                return self.choose(
                    f"{first} {operator} {second}",
                    f"{first} {operator} {second}",
                    f"{first} + {second} {operator} 2",
                    f"{first}*{second} {operator} 1",
                    f"{first} - {second} {operator} 1",
                )
            case "integer":
                axis = self.random.choice(self.axes)
                element = self.integer(scope, axis)
                if element is not None:
                    own = inside(scope, axis)
                    return f"{element} {self.choose('==', '>', '<=')} {self.random.choice([*own, '1', '0'])}"
        left = self.element(scope)
        return self.choose(
            f"{left} > {self.element(scope)}",
            f"{left} > 0",
            f"{left} <= 1/4",
            f"-1 < {left} < 1",
            f"{left} >= {self.element(scope)}",
        )

    def _index_condition(self, index: str) -> str:
        number = self.random.randint(0, 2)
        return self.choose(
            f"{index} == {number}", f"{index} > {number}", f"{index} <= {number}", f"{index} != {number}",
            f"{index} + 1 < size({index})", f"{index} == size({index})-1", f"mod({index}, 2) == 0",
            f"2*{index} < size({index})", f"0 < {index} < size({index})-1", f"floor({index}/2) == {number}",
        )  # fmt: skip

    def expression(self, scope: Scope, depth: int) -> str:
        if depth <= 0:
            return self.leaf(scope)
        kinds = ["add", "sub", "mul", "mul", "call", "reduce", "leaf"]
        kinds += ["div", "power"] * self.has("quotient")
        kinds += ["where", "where"] * self.has("mask") + ["where"] * self.has("value mask")
        kinds += ["nested"] * 2 * self.has("where") + ["softmax"] * self.has("softmax")
        kinds += ["pair"] * self.has("extremum") + ["extremum"] * self.has("extremum")
        kinds += ["product"] * self.has("product") + ["delta"] * self.has("delta")
        kinds += ["matrix"] * 4 * bool(self.matrices) + ["defined"] * 2 * bool(self.functions)
        kinds += ["shorthand", "rounded", "place"] * 2 * ("words" in self.features)
        return getattr(self, self.random.choice(kinds))(scope, depth - 1)

    def leaf(self, scope: Scope, depth: int = 0) -> str:
        if self.tensors and self.chance(0.8):
            return self.element(scope)
        if self.has("integers"):
            index = self.any_index()
            options = [f"size({index})", f"1/size({index})", *scope, *(f"({i} + 1)" for i in scope)]
            options += [f"mod({i}, 2)" for i in scope] + [f"floor({i}/2)" for i in scope]
            options += [f"({self.affine(scope)})"] if scope else []
            element = self.integer(scope, self.random.choice(self.axes))
            return self.random.choice([*options, *([element] if element else [])])
        return self.number()

    def other(self, scope: Scope, depth: int) -> str:
        """The second operand, which is a leaf more often, so that models stay small."""
        return self.expression(scope, depth if self.chance(0.4) else 0)

    def add(self, scope: Scope, depth: int) -> str:
        return f"({self.expression(scope, depth)} + {self.other(scope, depth)})"

    def sub(self, scope: Scope, depth: int) -> str:
        return self.choose("({} - {})", "({} - {})", "(-{} + {})").format(
            self.expression(scope, depth), self.other(scope, depth)
        )

    def mul(self, scope: Scope, depth: int) -> str:
        return f"{self.expression(scope, depth)}*{self.other(scope, depth)}"

    def div(self, scope: Scope, depth: int) -> str:
        above, below = self.other(scope, depth), self.expression(scope, depth)
        return self.choose("{}/(3/2 + ({})^2)", "{}/(3/2 + ({})^2)", "{}/(1 + abs({}))", "({})/({})").format(
            above, below
        )

    def power(self, scope: Scope, depth: int) -> str:
        body = self.expression(scope, depth)
        exponents = ["2", "2", "3", "-1", "1/2"] + ["(3/2)", "0"] * self.chance(0.3)
        if scope and self.has("integers"):
            exponents += [self.random.choice(scope)] * 3
        exponent = self.random.choice(exponents)
        return f"sqrt(1 + ({body})^2)" if exponent in ("-1", "1/2") else f"({body})^{exponent}"

    def call(self, scope: Scope, depth: int) -> str:
        body = self.expression(scope, depth)
        forms = [f"{name}({{}})" for name in (self.choose(*BOUNDED), self.choose(*SMOOTH))] * 2
        forms += [self.choose(*SAFE)] * 2 + [self.choose(*SPECIAL)] * 3 * self.has("special")
        forms += [self.choose(*BARE)] * self.chance(0.3)
        return self.random.choice(forms).format(body)

    def defined(self, scope: Scope, depth: int) -> str:
        return f"{self.choose(*self.functions)}({self.expression(scope, depth)})"

    def reduce(self, scope: Scope, depth: int) -> str:
        index = self.any_index()
        kind = self.choose("sum", "sum", "sum", "mean")
        if self.chance(0.15):
            second = self.any_index()
            if second != index:
                body = self.expression(with_index(scope, index, second), depth)
                return f"{kind}({index}, {second}, {body})"
        body = self.expression(with_index(scope, index), depth)
        if self.has("mask") and self.chance(0.3):
            body = f"where({self.condition(with_index(scope, index))}, {body}, 0)"
        return f"{kind}({index}, {body})"

    def extremum(self, scope: Scope, depth: int) -> str:
        index = self.any_index()
        kind = self.choose("max", "max", "min")
        return extremum_over(kind, index, self.expression(with_index(scope, index), depth))

    def product(self, scope: Scope, depth: int) -> str:
        index = self.any_index()
        return f"prod({index}, {self.expression(with_index(scope, index), depth)})"

    def softmax(self, scope: Scope, depth: int) -> str:
        index = self.any_index()
        inner = with_index(scope, index)
        body = self.expression(inner, min(depth, 1))
        if self.chance(0.4):
            return f"log(sum({index}, exp({body})))"
        return f"sum({index}, exp({body})*{self.element(inner)})/sum({index}, exp({body}))"

    def shorthand(self, scope: Scope, depth: int) -> str:
        """softmax at an index in sight, a word that runs over one, a clip, or what is stopped."""
        index = self.any_index()
        over = index if self.chance(0.7) else f"{index}, {self.any_index()}"
        inner = with_index(scope, *over.split(", "))
        body = self.expression(inner, min(depth, 1))
        forms = [f"logsumexp({over}, {body})", f"norm({over}, {body})", f"var({over}, {body})"]
        if scope:
            own = self.random.choice(scope)
            forms += [f"softmax({own}, {self.expression(scope, min(depth, 1))})"] * 3
        forms += [f"clip({self.expression(scope, depth)}, {self.choose('-1', '-1/2', '0')}, 1)"]
        forms += [f"stop({self.expression(scope, depth)})"] * 2
        form = self.random.choice(forms)
        return form if len(set(over.split(", "))) == len(over.split(", ")) else f"var({index}, {index})"

    def rounded(self, scope: Scope, depth: int) -> str:
        """A step, the fraction that it leaves, or both with the gradient passed straight through."""
        body, step = self.expression(scope, depth), self.choose("floor", "ceil", "round")
        return self.choose(
            f"{step}({body})", f"({body} - {step}({body}))", f"({body} + stop({step}({body}) - {body}))"
        )

    def place(self, scope: Scope, depth: int) -> str:
        """An element at the position of an extremum, or at a rounded one that is kept inside."""
        name = self.random.choice([each for each in self.tensors if len(self.tensors[each]) == 1] or [""])
        if not name:
            return self.leaf(scope)
        (axis,) = self.tensors[name]
        index, size = INDICES[axis][0], f"size({INDICES[axis][0]})"
        extremum = f"{self.choose('argmax', 'argmin')}({index}, {self.element(with_index(scope, index))})"
        body = f"{self.expression(scope, min(depth, 1))} + {size}/2 + {self.element(scope)}"
        step = f"{self.choose('floor', 'round')}({body})"
        return self.choose(
            f"{name}[{extremum}]",
            f"where({extremum} > 0, {name}[{extremum} - 1], 0)",
            f"{name}[clip({step}, 0, {size} - 1)]",
            f"where(0 <= {step} and {step} < {size}, {name}[{step}], 0)",
            f"pad({name}[{step}])",
            f"{extremum}*{self.leaf(scope)}",
        )

    def pair(self, scope: Scope, depth: int) -> str:
        other = self.choose(self.number(), self.other(scope, depth))
        return f"{self.choose('max', 'min')}({self.expression(scope, depth)}, {other})"

    def where(self, scope: Scope, depth: int) -> str:
        otherwise = self.choose("0", "0", self.number(), self.other(scope, depth))
        branches = [self.expression(scope, depth), otherwise]
        if self.chance(0.3):
            branches.reverse()
        return f"where({self.condition(scope)}, {', '.join(branches)})"

    def nested(self, scope: Scope, depth: int) -> str:
        chosen = self.choose(self.number(), self.expression(scope, depth))
        inner = f"where({self.condition(scope)}, {chosen}, {self.number()})"
        branches = [inner, self.choose(self.number(), self.other(scope, depth))]
        self.random.shuffle(branches)
        return f"where({self.condition(scope)}, {branches[0]}, {branches[1]})"

    def delta(self, scope: Scope, depth: int) -> str:
        """A delta in sight, or one that is summed over."""
        body = self.expression(scope, depth)
        pairs = [(i, j) for i in scope for j in inside(scope, AXIS_OF[i]) if i < j]
        if pairs:
            first, second = self.random.choice(pairs)
            return self.choose(f"delta({first},{second})*{body}", f"({body} + delta({first},{second}))")
        if not scope:
            return body
        index = self.random.choice(scope)
        position = self.integer(scope, AXIS_OF[index]) or "0"
        return self.choose(f"delta({index},{position})*{body}", f"where({index} == {position}, {body}, 0)")

    def matrix(self, scope: Scope, depth: int) -> str:
        """A determinant, a trace, or an inverse at indices in sight, at summed ones, or at constants."""
        name = self.random.choice(list(self.matrices))
        batch, axis = self.matrices[name]
        places = [self.position(each, scope) for each in batch]
        bound = [INDICES[each][0] for each, (_, guard) in zip(batch, places, strict=True) if guard == "bind"]
        guards = [guard for _, guard in places if guard not in ("", "bind", "declared")]
        read = declared(
            name, [place or INDICES[each][0] for each, (place, _) in zip(batch, places, strict=True)]
        )
        if "pad" in guards:
            read, guards = declared(name, ["0"] * len(batch)), []
        inner = with_index(scope, *bound)
        own = inside(inner, axis)
        row, column = INDICES[axis]
        forms = [f"logdet({read})", f"tanh(det({read})/8)", f"trace({read})"]
        forms += [f"inv({read})[{self.choose(*own)},{self.choose(*own, '0')}]"] * 3 if own else []
        forms += (
            [f"inv({read})[0,{self.choose('0', f'size({row})-1')}]"] if self.has("constant position") else []
        )
        summed = [index for index in (row, column) if index not in inner]
        if own and summed:
            body = self.expression(with_index(inner, summed[0]), depth)
            forms += [f"sum({summed[0]}, inv({read})[{self.choose(*own)},{summed[0]}]*{body})"] * 3
        elif len(summed) == 2:
            body = self.expression(with_index(inner, *summed), depth)
            forms += [f"sum({row}, {column}, inv({read})[{row},{column}]*{body})"] * 2
        return self._wrapped(self.random.choice(forms), guards, list(dict.fromkeys(bound)))
