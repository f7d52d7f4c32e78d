import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.sampling.stress import (
    COINCIDENCES,
    LARGE_NEGATIVES,
    NEAR_IDENTITY,
    NEARLY_EQUAL,
    PLAIN,
    STRESSES,
    scaled,
    scaled_and_shifted,
    shifted,
    shifted_alone,
    stressed,
    suspects,
    tails,
)

MODEL = """
index n : N
index k : K
input ids[n] in K
input x[n]
target d[n,k]
param w[k]
{facts}
loss E = sum(n, k, d[n,k]*w[k]*x[n]) + sum(n, w[ids[n]])
"""
SIZES = {"N": 3, "K": 4}


def drawn():
    rng = np.random.default_rng(0)
    return {
        "ids": rng.integers(0, 4, 3),
        "x": rng.normal(size=3),
        "d": rng.normal(size=(3, 4)),
        "w": rng.normal(size=4),
    }


def moved(stress, facts=""):
    return stressed(parse_system(MODEL.format(facts=facts)), drawn(), SIZES, stress)


def test_each_stress_is_what_its_name_says():
    before = drawn()
    assert np.array_equal(moved(PLAIN)["x"], before["x"])
    assert np.array_equal(moved(scaled(8.0))["d"], 8 * before["d"])
    assert np.array_equal(moved(shifted(1e4))["w"], before["w"] + 1e4)
    assert np.array_equal(moved(scaled_and_shifted(100.0, 1e4))["w"], 100 * before["w"] + 1e4)
    assert np.max(moved(LARGE_NEGATIVES)["d"]) <= -30
    near = moved(NEARLY_EQUAL)["d"]
    assert 0 < np.ptp(near) < 1e-2 * np.min(near)
    diagonal = moved(NEAR_IDENTITY)
    assert np.allclose(diagonal["d"], np.eye(3, 4), atol=1e-3)
    assert np.allclose(diagonal["x"], 1.0, atol=1e-3)
    far = moved(tails(800.0))["d"]
    assert 400 < np.max(np.abs(far)) <= 800


def test_with_data_alone_parameters_stay():
    found = moved(shifted(1e4, data_alone=True))
    assert np.array_equal(found["w"], drawn()["w"])
    assert np.array_equal(found["x"], drawn()["x"] + 1e4)
    without = parse_system("index n : N\nparam w[n]\nloss E = sum(n, w[n]^2)\n")
    assert np.array_equal(
        stressed(without, {"w": np.ones(2)}, {"N": 2}, shifted(1e4, data_alone=True))["w"], [1.0, 1.0]
    )


def test_one_tensor_alone_is_far_from_0():
    found, before = moved(shifted_alone("d")), drawn()
    assert np.array_equal(found["d"], before["d"] + 1e4)
    assert all(np.array_equal(found[name], before[name]) for name in ("ids", "x", "w"))
    assert shifted_alone("d").name == "d + 1e4 alone"


def test_what_an_equation_adds_comes_first_and_positions_are_no_suspects():
    system = parse_system(
        "index n : N\nindex k : K\ninput x[n]\ninput ids[n] in K\ntarget d[n]\nparam w[k], c, b[k]\n"
        "h[n] = 2*tanh(w[ids[n]]*x[n]) - b[ids[n]]\nloss E = sum(n, (c*h[n] - d[n])^2)\n"
    )
    assert suspects(system) == ("d", "b", "x", "w", "c")


@pytest.mark.parametrize(
    "stress", [*STRESSES, tails(80.0), *COINCIDENCES], ids=lambda each: each.name.replace(" ", "_")
)
def test_positions_stay_and_facts_hold(stress):
    found = moved(stress, "fact sum(k, d[n,k]) == 1")
    assert np.array_equal(found["ids"], drawn()["ids"])
    assert np.allclose(np.sum(found["d"], axis=1), 1.0)


def test_what_can_obey_its_facts_only_as_it_was_drawn_stays():
    definite = parse_system(
        "index i, j : N\nparam P[i,j], w[i]\nfact positive_definite(P)\n"
        "loss E = logdet(P) + sum(i, w[i]*P[i,i])\n"
    )
    rng = np.random.default_rng(0)
    drawn_matrix = rng.normal(size=(3, 3))
    values = {"P": drawn_matrix @ drawn_matrix.T + np.eye(3), "w": rng.normal(size=3)}
    found = stressed(definite, values, {"N": 3}, shifted(1e6))
    assert np.array_equal(found["w"], values["w"] + 1e6)
    assert np.all(np.linalg.eigvalsh(found["P"]) > 0)


def test_numbers_coincide_and_what_is_positive_is_no_zero_for_it():
    whole, pairs, zeros = (each.move for each in COINCIDENCES)
    drawn = np.random.default_rng(0).normal(size=(4, 3))
    assert np.array_equal(whole(drawn), np.round(whole(drawn)))
    assert np.array_equal(np.sign(whole(drawn)), np.sign(drawn))
    paired = pairs(drawn)
    assert np.array_equal(paired[0], paired[1]) and np.array_equal(paired[:, 0], paired[:, 1])
    assert not np.array_equal(paired[1], paired[2]) and not np.array_equal(paired[:, 1], paired[:, 2])
    assert np.array_equal(zeros(drawn) == 0, np.add.outer(np.arange(4) == 0, np.arange(3) == 0) > 0)
    for move in (whole, pairs, zeros):
        assert np.shape(move(np.array(0.3))) == () and move(np.array(0.3)) > 0
        assert np.all(move(np.array([[0.3]])) > 0)
