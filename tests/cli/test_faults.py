"""A fault of the tool's own: exit 70, and the shortest part of the model that shows it."""

import pytest

import symbackprop.cli.main as entry
from symbackprop import pipeline
from symbackprop.errors import PrintingError, ProgramError

MODEL = """index b : B
index i : I
input x[b,i]
param w[i], c
u[b] = sum(i, w[i]*x[b,i]) + c
v[b] = tanh(u[b]) + exp(2*u[b] + c)
q = c^2 + 3*c
loss E = sum(b, v[b]^2 + log(1 + v[b]^2)) + q
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "whole.model"
    path.write_text(MODEL)
    return str(path)


def faulty(error):
    def derive(system, wrt=None):
        if any("exp(" in str(equation.expression) for equation in system.equations):
            raise error(f"no array operation for {system.name}")
        raise ValueError("another failure")

    return derive


@pytest.mark.parametrize("command", ["derive", "generate", "latex"])
@pytest.mark.parametrize("error", [ProgramError, PrintingError, KeyError, RecursionError])
def test_an_internal_error_shows_the_shortest_part(command, error, model, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "derive", faulty(error))
    assert entry.run([command, model]) == 70
    out, err = capsys.readouterr()
    assert out == "" and error.__name__ in err and "please report" in err
    _, part = err.split("fail alike:\n")
    assert "exp(" in part and "tanh" not in part and "log" not in part


def test_an_error_of_the_input_is_not_shrunk(model, monkeypatch, capsys):
    assert entry.run(["generate", model, "--wrt", "W9"]) == 2
    err = capsys.readouterr().err
    assert "'W9'" in err and "shortest" not in err


def test_an_interrupt_ends_the_search(model, monkeypatch, capsys):
    def interrupted(system, wrt=None):
        if system.name == "whole" and len(system.equations) < 4:
            raise KeyboardInterrupt
        raise ProgramError("no array operation")

    monkeypatch.setattr(pipeline, "derive", interrupted)
    assert entry.run(["generate", model]) == 130
    assert "interrupted" in capsys.readouterr().err
