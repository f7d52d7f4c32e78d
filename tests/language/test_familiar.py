import numpy as np
import pytest
from scipy import special, stats

from symbackprop import NotationError, loads
from symbackprop.language.familiar import ELEMENTWISE, OTHERS, STRANGERS, function_remedy, is_one_slip
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.syntax.words import CALLABLE

POINTS = (-2.7, -0.5, 0.3, 1.6, 2.5)
REFERENCES = {
    **{name: getattr(special, name) for name in ("cbrt", "erfc", "exp2", "expit", "logit")},
    "logistic": special.expit,
    "logsigmoid": special.log_expit,
    "normpdf": stats.norm.pdf,
    "ln": np.log,
    "relu6": lambda u: min(max(u, 0.0), 6.0),
    "rsqrt": lambda u: 1 / np.sqrt(u),
    "sgn": np.sign,
    "softsign": lambda u: u / (1 + abs(u)),
    "swish": lambda u: u * special.expit(u),
    "tg": np.tan,
    **{name: lambda u, f=f: 1 / f(u) for name, f in (("cot", np.tan), ("coth", np.tanh), ("sec", np.cos))},
    **{name: lambda u, f=f: 1 / f(u) for name, f in (("sech", np.cosh), ("csc", np.sin), ("csch", np.sinh))},
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_remedy_gives_the_same_values(name):
    formula = loads(f"param u\nloss E = {ELEMENTWISE[name]}").system.equations[0].expression
    reference = REFERENCES.get(name) or getattr(np, name)
    compared = 0
    with np.errstate(all="ignore"):
        for point in POINTS:
            expected, found = reference(point), NaiveEvaluator({"u": np.array(point)}, {}).expression(formula)
            if np.isfinite(expected):
                np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{name} at {point}")
                compared += 1
    assert compared >= 1


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_remedy_is_of_the_language(name):
    head = "index i, j : I\nindex k : K\n"
    head += "param x[i], y[i], A[i,j], B[j,k], u, v, p, low, high, alpha, q[k]\n"
    formula = OTHERS[name].replace("u[k]", "q[k]").replace("condition", "u > 0")
    for indices in ("", "[k]", "[i,k]", "[i,j]"):
        try:
            assert loads(f"{head}y2{indices} = {formula}").system.equations
            return
        except NotationError as error:
            assert "unknown" not in error.cause, error
    pytest.fail(f"{formula} has no place")


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("rond", "did you mean 'round'?"),
        ("sgmoid", "did you mean 'sigmoid'?"),
        ("sigmiod", "did you mean 'sigmoid'?"),
        ("sofmax", "did you mean 'softmax'?"),
        ("ReLU", "did you mean 'relu'?"),
        ("tanhh", "did you mean 'tanh'?"),
        ("sun", "did you mean 'sin' or 'sum'?"),
        ("Ln", "write log(u)"),
        ("power", "write u^p"),
        ("log7", "define it: func log7(u) = ..."),
        ("f", "define it: func f(u) = ..."),
        ("ground", "did you mean 'round'?"),
        ("rounded", "define it: func rounded(u) = ..."),
        *((name, f"define it: func {name}(u) = ...") for name in sorted(STRANGERS)),
    ],
)
def test_a_function_that_is_not_there(typed, remedy):
    assert function_remedy(typed, CALLABLE) == remedy
    with pytest.raises(NotationError) as caught:
        loads(f"param a\nloss E = {typed}(a)")
    assert caught.value.remedy == remedy


def test_no_name_of_the_tables_is_the_languages():
    assert not CALLABLE & {*ELEMENTWISE, *OTHERS, *STRANGERS}
    assert all(any(is_one_slip(name, known) for known in CALLABLE) for name in STRANGERS)


def test_one_slip():
    assert all(is_one_slip(*pair) for pair in (("ab", "ba"), ("ab", "a"), ("a", "ab"), ("ab", "ac")))
    assert not any(
        is_one_slip(*pair) for pair in (("abcd", "badc"), ("ab", "abcd"), ("log1", "log"), ("abc", "xbz"))
    )
