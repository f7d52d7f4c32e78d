import statistics
from pathlib import Path

import numpy as np
import pytest

from examples import train_digits, train_exercise


def test_the_exercise_is_learned_a_hundredfold_in_the_median():
    outcomes = [train_exercise.train(seed) for seed in train_exercise.SEEDS]
    assert len(outcomes) == 20
    assert statistics.median(outcome.factor for outcome in outcomes) >= 100


def test_digits_are_read_on_the_held_back_fifth():
    outcome = train_digits.train(seed=0)
    assert outcome.accuracy >= 0.93
    assert outcome.losses[-1] < outcome.losses[0] / 5


@pytest.mark.parametrize("seed", [1, 2])
def test_a_few_epochs_already_help(seed):
    assert train_digits.train(seed=seed, epochs=4).accuracy >= 0.85


def test_the_split_holds_back_a_fifth_and_loses_nothing():
    training, held_back = train_digits.load(np.random.default_rng(0))
    assert len(held_back.labels) == 1797 // 5
    assert len(training.labels) + len(held_back.labels) == 1797
    assert training.images.shape[1:] == (64,)
    assert training.images.min() == 0.0 and training.images.max() == 1.0
    assert held_back.one_hot.sum(axis=1).tolist() == [1.0] * len(held_back.labels)


def test_the_loss_curve_is_a_picture(tmp_path):
    picture = tmp_path / "deeper" / "loss.png"
    train_digits.draw_losses((1.0, 0.1, 0.01), picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_data_come_with_their_licence():
    text = (Path(train_digits.DATA).parent / "LICENSE.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text and "Alpaydin" in text
