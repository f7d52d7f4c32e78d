import pytest

from symbackprop import loads
from symbackprop.cli.main import run

HEAD = "index i : I\nparam x[i], a\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss E = a*sum(i, x[i])", ()),
        ("z = a\nloss E = z*sum(i, x[i])", ()),
        ("loss E = a^2", ("m:2:7: E does not depend on x: its gradient is 0",)),
        (
            "z[i] = a*x[i]\nloss E = a^2",
            (
                "m:2:7: E does not depend on x: its gradient is 0",
                "m:3:1: nothing reads z: it is an output of the module alone",
            ),
        ),
        ("z[i] = a*x[i]\nfact sum(i, z[i]) == 1\nloss E = a*sum(i, x[i])", ()),
        ("y = a*x[0]", ()),  # a model without a loss is not about one
    ],
)
def test_what_the_loss_does_not_read(text, said):
    assert loads(HEAD + text, "m").remarks() == said


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("log(0)", "log(0) is -inf"),
        ("log(1 - 1)", "log(1 - 1) is -inf"),
        ("1/(1 - 1)", "1/(1 - 1) is inf"),
        ("2*(3 + sqrt(-1))", "sqrt(-1) is nan"),  # the smallest part, once
        ("exp(1000)", "exp(1000) is inf"),
        ("acos(2) + acos(2)", "acos(2) is nan"),
        ("where(a > log(0), 1, 2)", "log(0) is -inf"),
        ("sum(i, x[i]*log(0))", "log(0) is -inf"),
    ],
)
def test_a_constant_that_is_not_finite(formula, said):
    assert loads(f"{HEAD}loss E = a*sum(i, x[i]) + {formula}", "m").remarks() == (f"m:3:6: {said}",)


@pytest.mark.parametrize(
    "formula",
    [
        "log(2)",
        "exp(700)",
        "pi^2",
        "1/(size(i) - size(i))",
        "log(a - a)",
        "floor(7/2)",
        "where(1 > 0, 1, 2)",
        "mod(7, 3)",
    ],
)
def test_no_word_of_what_is_finite_or_depends_on_data(formula):
    assert loads(f"{HEAD}loss E = a*sum(i, x[i]) + {formula}").remarks() == ()


def test_a_command_says_it_beside_its_result(tmp_path, capfd):
    path = tmp_path / "odd.model"
    path.write_text("param a, b\nloss E = a^2\n", encoding="utf-8")
    assert run(["derive", str(path), "--result"]) == 0
    shown = capfd.readouterr()
    assert shown.out == "dE/da = 2*a\ndE/db = 0\n"
    assert shown.err == f"note: {path}:1:10: E does not depend on b: its gradient is 0\n"
