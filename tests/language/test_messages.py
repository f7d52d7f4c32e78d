"""Bad input: which error, what it says, which column the caret points at, and that each comes at once."""

import time

import pytest

from symbackprop.errors import LanguageError, NotationError, SymbackpropError
from symbackprop.language.model import parse_expression, parse_system

DECLARATIONS = """\
index b : B
index i, j : I
index k : K
input x[b,i]
target d[b,k]
param W[k,i], A[i,j], w[i], a
func swish(u) = u*sigmoid(u)
"""
FIRST_LINE = DECLARATIONS.count("\n") + 1

# the text after the declarations, the error, the caret's column, a fragment of the cause, one of the remedy
SPELLING = [
    ("y = (a + 1", 5, "'(' is never closed", "')'"),
    ("y[b,k = a", 2, "'[' is never closed", "']'"),
    ("y = sum(i, w[i]\nz = a", 8, "'(' is never closed", "')'"),
    ("y = a)", 6, "found ')'", "take the ')' away"),
    ("y = (a]", 7, "')', found ']'", ""),
    ("input n[b] in I, v[b], m  # kept", 33, "found the end of the line", "a line of its own, input v[b], m"),
    ("y = 2a", 6, "found 'a'", "product with '*'"),
    ("y = 1.2.3", 8, "found '.3'", "product with '*'"),
    ("y = a +", 8, "expected a value", "complete"),
    ("y = * a", 5, "expected a value", ""),
    ("y = +a", 5, "expected a value", ""),
    ("y =", 4, "expected a value", ""),
    ("y", 2, "'='", "an equation reads"),
    ("y == 2", 3, "found '=='", "single '='"),
    ("input m[b] in B, n[b]", 22, "found the end of the line", "a line of its own, input n[b]"),
    ("y = a = 2", 7, "the end of the line, found '='", ""),
    ("y = a; z = a", 6, "';' has no meaning", ""),
    ("y = a \u2212 1", 7, "'\u2212' has no meaning", "write -"),
    ("y = 'a'", 5, "quotation mark", "runs no code"),
    ("y = a & a", 7, "'&'", "write and"),
    ("y = \x00", 5, "U+0000", ""),
    ("loss = a", 6, "expected a name", "loss E ="),
    ("index = 3", 7, "expected a name", ""),
    ("y = index", 5, "a word of the language", ""),
    ("param V[i], in", 13, "a word of the language", "another name"),
    ("index q", 8, "':'", "index i : I"),
    ("index q :", 10, "expected a name", ""),
    ("param", 6, "expected a name", ""),
    ("const c = 3", 9, "expected ',' or the end of the line", "an equation of its own: c = 3"),
    ("input y[n] in V, keep[n]", 25, "found the end of the line", "a line of its own, input keep[n]"),
    ("import os", 8, "'os'", "an equation reads"),
    ("lambda: 3", 7, "':'", "an equation reads"),
    ("x[b,i] += 3", 8, "'+'", ""),
    ("y = x[]", 7, "expected a value", ""),
    ("y = __import__('os').system('x')", 5, "'__import__' is not a name", "runs no code"),
    ("__y = 3", 1, "'__y' is not a name", "letter"),
    ("_y = 3", 1, "underscore", "letter"),
    ("größe = 3", 1, "not plain ASCII", "letters A-Z"),
    ("y = " + "(" * 10_000, 105, "nested more than 100 deep", "equation of its own"),
    ("y = " + "(" * 10_000 + "1" + ")" * 10_000, 105, "nested more than 100 deep", ""),
    ("y = " + "-" * 900 + "1", 104, "nested more than 100 deep", ""),
    ("y = where(" + "not " * 900 + "a < 1, 1, 2)", 403, "nested more than 100 deep", ""),
    ("y = " + "a^" * 900 + "a", 203, "nested more than 100 deep", ""),
    ("y = 9^9^9^9", 7, "out of bounds", ""),
    ("y = 9^1001", 5, "out of bounds", ""),
    ("y = a^1e9", 5, "out of bounds", ""),
    ("y = 2^(2^(2^(2^2)))", 5, "out of bounds", ""),
    ("y = 1e999", 5, "outside 10^-300 to 10^300", "float64"),
    ("y = 1e-99999999999999999999", 5, "outside 10^-300 to 10^300", ""),
    ("y = " + "9" * 90_000, 5, "more than 60 characters", "round"),
    ("y = 1e200*a*1e200", 5, "multiply up", ""),
    ("y = (1e100*a)^4", 6, "multiply up", ""),
    ("y = a/0", 7, "division by zero", ""),
    ("y = 0^-1", 5, "division by zero", ""),
    ("func h(u) = 1/u\ny = a + h(0)", 9, "division by zero", ""),
    ("index q : Q = 0", 15, "whole number from 1", "leave the size out"),
    ("index q : Q = -3", 15, "whole number from 1", ""),
    ("index q : Q = 2.5", 15, "whole number from 1", ""),
    ("index q : Q = 9999999999999", 15, "whole number from 1", ""),
    ("y" * 61 + " = 1", 1, "longer than 60", "shorter"),
]  # fmt: skip

MEANING = [
    ("y = foo", 5, "unknown name 'foo'", "declare it"),
    ("y = wd", 5, "unknown name 'wd'", "did you mean"),
    ("y = sum(i, w[i]*X[i])", 17, "unknown tensor 'X'", "did you mean 'x'"),
    ("y[q] = a", 3, "unknown index 'q'", "index q : Q"),
    ("param V[q]", 9, "unknown index 'q'", "index q : Q"),
    ("y = sum(q, a)", 9, "unknown index 'q'", ""),
    ("y[b] = x[b,q]", 12, "unknown index 'q'", "index q : Q"),
    ("y[b] = x[b,2*q]", 14, "unknown name 'q'", ""),
    ("y = sgmoid(a)", 5, "unknown function 'sgmoid'", "did you mean 'sigmoid'"),
    ("y = entmax(a)", 5, "unknown function 'entmax'", ""),
    ("y = w", 5, "'w' has 1 position, here are none", "w[i]"),
    ("y[b] = x[b]", 8, "'x' has 2 positions, here is 1", "x[b,i]"),
    ("y = a[i]", 5, "'a' is a scalar", "write a"),
    ("y = a(3)", 5, "'a' is a tensor, not a function", "square brackets"),
    ("y = I", 5, "'I' is an axis, not a value", "size(I)"),
    ("y = exp", 5, "'exp' is a function", "exp(...)"),
    ("y = swish", 5, "'swish' is a function", "swish(...)"),
    (
        "y[b] = softmax(i, x[b,i])[0]",
        8,
        "the value of softmax(...) has no positions",
        "p[b,i] = softmax(i, x[b,i]), and read p[b,0]",
    ),
    ("y[b] = exp(x[b,i] + 1)[b,b]", 8, "has no positions", "p[b,i] = exp(x[b,i] + 1), and read p[b,b]"),
    ("y[b] = exp(x[b,i])[0]", 8, "has no positions", "p[b,i] = exp(x[b,i])"),
    ("y[b] = sum(b, i, x[b,i])[b]", 8, "the value of sum(...) has no positions", "only a tensor"),
    ("y = swish[i]", 5, "'swish' is a function and has no positions", "call it"),
    ("y = i[b]", 5, "'i' is an index and has no positions", ""),
    ("y = b(3)", 5, "'b' is an index, not a function", ""),
    ("y[b] = x[b,i]", 12, "index not summed: 'i'", "sum(i, ...)"),
    ("y[b] = x[b,i]", 12, "in y[b]", "y[b,i]"),
    ("y = sum(i, w[i]) + w[i]", 22, "index not summed: 'i'", "sum(i, ...)"),
    ("y = i", 5, "index not summed: 'i'", ""),
    ("y = delta(i,j)", 11, "index not summed: 'i'", ""),
    ("y[b] = sum(i, x[i,b])", 17,
     "axis clash in 'x': position 1 runs over axis B, but 'i' is an index over axis I", "such as 'b'"),
    ("y[b,k] = d[b,b]", 14, "axis clash in 'd': position 2 runs over axis K", "such as 'k'"),
    ("y[b,k] = delta(b,k)", 10, "axis clash in delta(b, k)", "over one axis"),
    ("y[b,k] = delta(b,1/2)", 18, "each side of a delta is a whole number", ""),
    ("y = y", 1, "in a circle: y needs y", ""),
    ("y = z\nv = y\nz = v", 1, "in a circle", ""),
    ("y[b] = sum(i, x[b,i]*y[b])", 1, "in a circle: y needs y", ""),
    ("y = a\ny = a", 1, "used twice", "another name"),
    ("x[b,i] = a", 1, "used twice: it is an input at model:4:7 and defined by an equation here", ""),
    ("param b", 7, "used twice: it is an index at model:1:7 and a param here", ""),
    ("index a : T", 7, "used twice: it is a param at model:6:29 and an index here", ""),
    ("index t : k", 11, "used twice: it is an index at model:3:7 and an axis here", ""),
    ("index B : T", 7, "used twice: it is an axis", ""),
    ("func W(u) = u", 6, "used twice: it is a param", ""),
    ("param swish", 7, "used twice: it is a function", ""),
    ("index i : T", 7, "used twice: it is an index", ""),
    ("index t : T = 3\nindex s : T = 4", 15, "axis T has size 3 at model:8:15 and 4 here", "once"),
    ("exp = 3", 1, "'exp' is a function of the language", "another name"),
    ("param pi", 7, "'pi' is a constant of the language", ""),
    ("param W'[i]", 7, "has a prime", ""),
    ("y[b,b] = a", 5, "'y' has the index 'b' twice", "index b2 : B"),
    ("param V[i,i]", 11, "'V' has the index 'i' twice", ""),
    ("y[0] = a", 3, "plain index", ""),
    ("y[B] = a", 3, "'B' is an axis, not an index", "'b'"),
    ("y = sum(I, w[i])", 9, "'I' is an axis, not an index", "'i'"),
    ("y = sum(w[i])", 5, "needs an index", "sum(i, ...)"),
    ("y = sum()", 5, "needs an index", ""),
    ("y = sum(a, w[i])", 9, "'a' is a param, not an index", ""),
    ("y = sum(2*i, w[i])", 9, "runs over indices", ""),
    ("y = sum(i, i, w[i])", 12, "runs over 'i' twice", ""),
    ("y = max(a)", 5, "'max' takes 2 arguments, here is 1", ""),
    ("y = max(a, 1, 2)", 5, "'max' takes 2 arguments, here are 3", ""),
    ("y = exp(a, a)", 5, "'exp' takes 1 argument", "exp(u)"),
    ("y = swish()", 5, "'swish' takes 1 argument, here are none", ""),
    ("y = exp(w)[i]", 5, "has no positions", ""),
    ("y = size(a)", 10, "'a' is a param, not an index", ""),
    ("y = size(2)", 10, "an index or an axis", ""),
    ("y = size(z)", 10, "unknown index 'z'", ""),
    ("y = a < 1", 5, "a condition stands where a value is needed", "where(..., 1, 0)"),
    ("y = a + (a < 1)", 10, "a condition stands where a value is needed", ""),
    ("y = not a", 5, "a condition stands where a value is needed", ""),
    ("y = where(a, 1, 2)", 11, "a value stands where a condition is needed", ""),
    ("y = where(a < 1 and a, 1, 2)", 21, "a value stands where a condition is needed", ""),
    ("y = where(a < 1, 1)", 5, "'where' takes 3 arguments", "where(condition, a, b)"),
    ("y = where(a < 1, a < 2, 1)", 18, "a condition stands where a value is needed", ""),
    ("y = where((a < 1) < 2, 1, 2)", 12, "a condition stands where a value is needed", ""),
    ("func h(u) = h(u)", 13, "calls itself", ""),
    ("func h(u) = g(u)\nfunc g(u) = h(u)", 13, "calls itself", "without recursion"),
    ("func h(u, u) = u", 11, "cannot be a parameter", ""),
    ("func h(h) = h", 8, "cannot be a parameter", ""),
    ("func h(exp) = exp", 8, "is a function of the language", ""),
    ("func h(u) = u*w[i]", 17, "index not summed: 'i' is free in the body", "sum(i, ...)"),
    ("func h(u) = exp(u)/sum(k, exp(u))", 20, "does not depend on the function's own 'k'", ""),
    ("func h(u) = w[u]", 15, "the parameter 'u' is a value and cannot be a position", ""),
    ("func h(u) = u[i]", 13, "'u' is a parameter and has no positions", ""),
    ("fact a", 6, "a fact is one equality", ""),
    ("fact a < 1", 6, "a fact is one equality", ""),
    ("fact a == 1 == 1", 6, "a fact is one equality", ""),
    ("fact d[b,k] == x[b,i]", 6, "k only on the left, i only on the right", "sum over"),
    ("loss E[b] = a", 6, "the loss 'E' is not a scalar", "sum(b, ...)"),
    ("loss E = a\nloss F = a", 6, "two losses: 'E' at model:8:6 and 'F' here", ""),
    ("loss E", 6, "unknown tensor 'E'", ""),
    ("loss a", 6, "the loss 'a' is a param", "loss E = ..."),
]  # fmt: skip

POSITIONS = [
    ("y[i] = w[i+1]", 1, "w[i + 1] lies outside axis I for i = size(i) - 1", "pad(w[i + 1])"),
    ("y[i] = w[-i-1]", 1, "lies outside axis I", "pad("),
    ("index q : Q = 3\nparam v[q]\ny = v[3]", 1, "v[3] lies outside axis Q (0 to 2)", "pad(v[3])"),
    ("index q : Q = 3\nindex g : G = 4\nparam v[q]\ny[g] = v[g]", 10, "axis clash in 'v'", "'q'"),
    ("index q : Q = 3\nindex g : G = 4\nparam v[q]\ny[g] = v[g+0]", 1, "for g = 3: g + 0 is 3", "pad("),
    ("y = w[a]", 7, "a position of 'w' is a whole number", "integer tensors"),
    ("y[b] = w[x[b,0]]", 10, "a position of 'w' is a whole number", "integer tensors"),
    ("y[i] = w[i/2]", 10, "a position of 'w' is a whole number", "floor(...)"),
    ("y = w[floor(a)]", 1, "w[floor(a)] may lie outside axis I", "clip(floor(a), 0, size(i) - 1)"),
    ("func eye(u, v) = delta(u, v)\ny[i] = eye(i, 0)", 24, "takes two indices", "where(a == b, 1, 0)"),
    ("y = w[mod(a, 2)]", 7, "a position of 'w' is a whole number", "integer tensors"),
    ("y = pad(a + 1)", 9, "pad(...) takes an element", "pad(x[i+1])"),
    ("h[i] = h[i-1] + w[i]", 1, "missing base case: h[i - 1] lies outside axis I", "where(i == 0, ..., ...)"),
    ("h[i] = where(i == 0, a, h[i-2])", 1, "missing base case", "where(i < 2, ..., ...)"),
    ("h[i] = h[0]", 1, "in a circle: h needs h", "h[t-1]"),
    ("h[i] = where(i > 0 and i < size(i) - 1, h[i-1] + h[i+1], a)", 1, "in a circle", "earlier (or later)"),
    ("param ids[b] in K", 1, "a parameter holds real numbers", "input, target or const"),
    ("input ids[b] in k", 17, "'k' is an index, not an axis", "its axis is K"),
    ("input ids[b] in Z", 17, "unknown axis 'Z'", "index z : Z"),
    ("input ids[b] in K\ny[b] = w[ids[b]]", 10, "the values of 'ids' index axis K", "'i'"),
    ("y[b,k] = delta(2*b,k+1)", 10, "a delta needs a plain index on one side", ""),
]


def error_of(text: str, kind: type[SymbackpropError]) -> SymbackpropError:
    started = time.perf_counter()
    with pytest.raises(kind) as caught:
        parse_system(DECLARATIONS + text)
    assert time.perf_counter() - started < 3
    error = caught.value
    assert type(error) is kind
    assert error.remedy and error.cause
    return error


def assert_caret(error: SymbackpropError, column: int) -> None:
    assert error.place is not None
    assert error.place.column == column
    head, excerpt, caret, *_ = str(error).split("\n")
    assert head.startswith(f"model:{error.place.line}:{column}: ")
    # The caret stands below the very character, in an excerpt of bounded length.
    line = error.place.text
    assert len(excerpt) <= 102 and len(caret) <= 103
    if column <= min(len(line), 100):
        assert excerpt[caret.index("^")] == line[column - 1]


def assert_no_jargon(error: SymbackpropError) -> None:
    for word in ("Token", "Unexpected", "LPAR", "RSQB", "NAME", "NEWLINE", "$END", "Traceback", "lark"):
        assert word not in str(error)


@pytest.mark.parametrize(("text", "column", "cause", "remedy"), SPELLING)
def test_spelling(text: str, column: int, cause: str, remedy: str) -> None:
    error = error_of(text, NotationError if "a function of the language" in cause else LanguageError)
    assert cause in error.cause
    assert remedy in error.remedy
    assert_caret(error, column)
    assert_no_jargon(error)


@pytest.mark.parametrize(("text", "column", "cause", "remedy"), MEANING)
def test_meaning(text: str, column: int, cause: str, remedy: str) -> None:
    error = error_of(text, NotationError)
    assert cause in error.cause
    assert remedy in error.remedy
    assert_caret(error, column)
    assert_no_jargon(error)


@pytest.mark.parametrize(("text", "column", "cause", "remedy"), POSITIONS)
def test_positions(text: str, column: int, cause: str, remedy: str) -> None:
    error = error_of(text, NotationError)
    assert cause in error.cause
    assert remedy in error.remedy
    assert_caret(error, column)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "\ufeff", "   \t\n"])
def test_an_empty_model_is_refused(text: str) -> None:
    with pytest.raises(LanguageError, match="the model is empty"):
        parse_system(text)


def test_the_line_is_counted_and_named() -> None:
    error = error_of("y[b,k] = sum(i,\n    W[k,i]\n    * z[b,i])", NotationError)
    assert error.place is not None
    assert (error.place.line, error.place.column) == (FIRST_LINE + 2, 7)
    assert str(error).startswith(f"model:{FIRST_LINE + 2}:7: unknown tensor 'z'")


def test_tabs_and_carriage_returns_do_not_move_the_caret() -> None:
    text = DECLARATIONS.replace("\n", "\r\n") + "y\t=\ta +\tzz\r\n"
    with pytest.raises(NotationError) as caught:
        parse_system(text)
    assert_caret(caught.value, 9)


def test_the_first_error_is_the_one_reported() -> None:
    error = error_of("y = foo\nz = bar", NotationError)
    assert "foo" in error.cause
    assert "bar" not in str(error)


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    error = error_of("y = " + "a + " * 100_000 + "a", LanguageError)
    assert "longer than 400,000 characters" in error.cause


def test_functions_cannot_expand_without_end() -> None:
    doubling = "\n".join(f"func f{n + 1}(u) = f{n}(u) + f{n}(f{n}(u))" for n in range(40))
    error = error_of(f"func f0(u) = u*u\n{doubling}\ny = f40(a)", LanguageError)
    assert "expand to more than" in error.cause or "nested" in error.cause
    deep = "\n".join(f"func f{n + 1}(u) = exp(f{n}(u))" for n in range(400))
    assert "nested" in error_of(f"func f0(u) = u\n{deep}\ny = f400(a)", LanguageError).cause


def test_an_expression_is_checked_as_a_model_is() -> None:
    system = parse_system(DECLARATIONS + "y = a")
    for text, cause in (("zz + a", "unknown name 'zz'"), ("w[k]", "axis clash"), ("y = a", "found '='")):
        with pytest.raises(SymbackpropError, match=cause):
            parse_expression(text, system)


def test_a_model_cannot_be_named_anything() -> None:
    for name in ("", "a b", "a\nimport os", '"""', "x" * 101):
        with pytest.raises(LanguageError, match="cannot name a model"):
            parse_system("y = 1", name)
