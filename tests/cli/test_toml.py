import json

import pytest

from symbackprop.cli.main import run

NETWORK = """
[[layer]]
kind = "dense"
units = "J"
activation = "tanh"

[[layer]]
kind = "dense"
units = "K"

[loss]
kind = "half_squared_error"
"""


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(NETWORK)
    return str(path)


def test_a_layered_network_is_derived_and_checked(network, capsys):
    assert run(["derive", network, "--wrt", "W2", "--result"]) == 0
    assert capsys.readouterr().out == "dE/dW2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])\n"
    assert run(["check", network]) == 0


def test_the_schema_knows_every_key_of_the_example(capsys):
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"layer", "loss"} <= set(schema["properties"])


def test_a_wrong_table(tmp_path, capsys):
    path = tmp_path / "net.toml"
    path.write_text(NETWORK.replace("dense", "tense"))
    assert run(["derive", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "net.toml:3" in captured.err and "remedy: " in captured.err
