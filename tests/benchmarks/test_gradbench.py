"""GradBench's protocol over pipes, as its evals speak it, and the outputs against formulas of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gradbench import scoreboard
from benchmarks.gradbench.objectives import MODULES, ba_jacobian_answer, ba_observations, below_diagonal

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = {"min_runs": 2, "min_seconds": 0}


class Tool:
    """The tool in a process: a message, an answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.count = process, 0

    def ask(self, **message: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"id": self.count, **message}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer.pop("id") == self.count
        self.count += 1
        return answer

    def run(self, module: str, function: str, **given: Any) -> Any:
        answer = self.ask(kind="evaluate", module=module, function=function, input=given | RUNS)
        assert answer["success"], answer
        assert [each["name"] for each in answer["timings"]] == ["evaluate"] * 2
        return answer["output"]


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    command = [sys.executable, "-m", "benchmarks.gradbench"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        tool = Tool(process)
        assert tool.ask(kind="start", eval="lse") == {"tool": "symbackprop"}
        for module in ("lse", "det", "llsq", "kmeans"):
            assert tool.ask(kind="define", module=module)["success"]
        yield tool
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


def test_unknown_modules_and_functions_are_answered(tool: Tool) -> None:
    refused = tool.ask(kind="define", module="ht")
    assert not refused["success"] and "'ht'" in refused["error"]
    for module, function in (("ht", "objective"), ("lse", "hessian"), ("gmm", "objective")):
        answer = tool.ask(kind="evaluate", module=module, function=function, input={"x": [1.0]})
        assert not answer["success"] and f"{module}: {function}" in answer["error"]
    assert tool.ask(kind="analysis", of=1, valid=False, error="no") == {}


def test_an_input_that_does_not_fit_is_an_answer(tool: Tool) -> None:
    for given in ({"A": [1.0, 2.0], "ell": 2}, {"ell": 2}, {"A": "x", "ell": 1}):
        answer = tool.ask(kind="evaluate", module="det", function="primal", input=given)
        assert not answer["success"] and answer["error"]


def test_lse_and_det(tool: Tool) -> None:
    x = [1000.0, 1001.0, 999.5]
    weights = np.exp(np.array(x) - 1001)
    assert tool.run("lse", "primal", x=x) == pytest.approx(1001 + np.log(weights.sum()), rel=1e-15)
    np.testing.assert_allclose(tool.run("lse", "gradient", x=x), weights / weights.sum(), rtol=1e-13)
    assert tool.run("det", "primal", A=[1, 2, 3, 5], ell=2) == pytest.approx(-1)
    np.testing.assert_allclose(tool.run("det", "gradient", A=[1, 2, 3, 5], ell=2), [5, -3, -2, 1])


def test_llsq(tool: Tool) -> None:
    x, n = [0.5, -1.0, 2.0], 5
    t = np.linspace(-1, 1, n)
    powers = np.stack([t**0, t, t**2])
    r = np.sign(t) - x @ powers
    assert tool.run("llsq", "primal", x=x, n=n) == pytest.approx(r @ r / 2, rel=1e-14)
    np.testing.assert_allclose(tool.run("llsq", "gradient", x=x, n=n), -powers @ r, rtol=1e-14)


def test_newtons_direction_leads_to_the_means(tool: Tool) -> None:
    points, centroids = [[0.0, 1.0], [2.0, 5.0], [9.0, 9.0]], [[1.0, 2.0], [8.0, 8.0]]
    assert tool.run("kmeans", "cost", points=points, centroids=centroids) == pytest.approx(2 + 10 + 2)
    direction = np.array(tool.run("kmeans", "dir", points=points, centroids=centroids))
    np.testing.assert_allclose(centroids - direction, [[1.0, 3.0], [9.0, 9.0]])


def test_the_triangle_is_packed_column_by_column() -> None:
    assert [part.tolist() for part in below_diagonal(3)] == [[1, 2, 2], [0, 0, 1]]
    assert [part.tolist() for part in below_diagonal(1)] == [[], []]


def test_the_jacobian_of_observations_has_the_places_of_its_blocks() -> None:
    given = {"n": 2, "m": 3, "p": 4, "cam": [0.0] * 11, "x": [0.0] * 3, "w": 0.5, "feat": [0.0] * 2}
    observations = ba_observations(given)
    module = _Gradients(len(observations.weights))
    jacobian = MODULES["ba"]["jacobian"].bound(module, observations)()
    dense = np.zeros((12, 2 * 11 + 3 * 3 + 4))
    for row, (start, end) in enumerate(zip(jacobian.rows, jacobian.rows[1:], strict=False)):
        dense[row, jacobian.columns[start:end]] = jacobian.values[start:end]
    expected = np.zeros_like(dense)
    for place in range(4):  # observation 2 has camera 0 and point 2, observation 3 camera 1 and point 0
        for row, z in enumerate((1.0, 10.0)):
            expected[2 * place + row, 11 * (place % 2) : 11 * (place % 2) + 11] = z * np.arange(1, 12)
            expected[2 * place + row, 22 + 3 * (place % 3) : 25 + 3 * (place % 3)] = z * np.arange(12, 15)
            expected[2 * place + row, 31 + place] = z * 15
        expected[8 + place, 31 + place] = -1.0
    np.testing.assert_array_equal(dense, expected)
    answer = ba_jacobian_answer(jacobian)
    assert len(answer["cols"]) == len(answer["vals"]) == 31
    assert answer["rows"][-1] == len(jacobian.values)


class _Gradients:
    """A module whose gradients are the numbers of their columns, times ten for the second error."""

    def __init__(self, count: int) -> None:
        self.count = count

    def bind(self, params: Any, feature: Any, z: Any) -> Any:
        starts = {"rotation": 0, "centre": 3, "focal": 6, "principal": 7, "distortion": 9, "x": 11, "w": 14}

        def step() -> Any:
            columns = np.tile((z[0] + 10 * z[1]) * np.arange(1.0, 16.0), (self.count, 1))
            return 0.0, {
                name: columns[:, start : start + len(array)].T if array.ndim == 2 else columns[:, start]
                for (name, start), array in ((each, params[each[0]]) for each in starts.items())
            }

        return step


@pytest.mark.parametrize("chosen", [[], ["-e", "lse"], ["-e", "lse", "-o", "there.md"]])
def test_a_selection_of_evals_does_not_replace_the_table_of_all(chosen, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scoreboard, "TABLE", tmp_path / "own.md")
    monkeypatch.setattr(scoreboard.Setting, "peers", lambda _: "no peers")
    monkeypatch.setattr(scoreboard, "scores", lambda *_: {})
    monkeypatch.setattr(scoreboard, "page", lambda *_: "the table")
    assert scoreboard.main([str(Path(__file__).parent), *chosen]) == 0
    assert [path.name for path in tmp_path.iterdir()] == {0: ["own.md"], 2: [], 4: ["there.md"]}[len(chosen)]
    assert ("the table" in capsys.readouterr().out) == (len(chosen) == 2)


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        scoreboard.main([str(tmp_path / "clone")])
    assert stopped.value.code == 2 and f"there is no folder {tmp_path / 'clone'}" in capsys.readouterr().err


def test_an_unknown_eval_is_answered_with_those_that_there_are(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        scoreboard.main([str(tmp_path), "-e", "lse,hist"])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "no eval 'hist'" in message and all(name in message for name in scoreboard.EVALS)
