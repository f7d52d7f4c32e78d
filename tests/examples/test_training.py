import statistics

import numpy as np
import pytest

from examples import train_convnet, train_digits, train_exercise, train_lstm, train_transformer, training


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
    split, held_back = training.load_digits(np.random.default_rng(0))
    assert len(held_back.labels) == 1797 // 5
    assert len(split.labels) + len(held_back.labels) == 1797
    assert split.images.shape[1:] == (64,)
    assert split.images.min() == 0.0 and split.images.max() == 1.0
    assert held_back.one_hot.sum(axis=1).tolist() == [1.0] * len(held_back.labels)


def test_the_loss_curve_is_a_picture(tmp_path):
    picture = tmp_path / "deeper" / "loss.png"
    training.draw_losses((1.0, 0.1, 0.01), picture, "three epochs")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_data_come_with_their_licence():
    text = (training.DIGITS.parent / "LICENSE.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text and "Alpaydin" in text


def test_a_convolutional_net_reads_nineteen_digits_in_twenty_after_a_few_epochs():
    outcome = train_convnet.train(seed=0, epochs=train_convnet.QUICK_EPOCHS)
    assert outcome.accuracy >= 0.93
    assert outcome.losses[-1] < outcome.losses[0] / 3


def test_an_lstm_reads_digits_row_by_row_after_a_few_epochs():
    outcome = train_lstm.train(seed=0, epochs=train_lstm.QUICK_EPOCHS)
    assert outcome.accuracy >= 0.85
    assert outcome.losses[-1] < outcome.losses[0] / 2


def test_a_transformer_learns_more_than_how_frequent_each_character_is():
    outcome = train_transformer.train(train_transformer.QUICK, seed=0)
    assert outcome.losses[0] > 4.0
    assert outcome.held_back < 2.8
    assert len(outcome.sample) == train_transformer.QUICK.length


def test_the_transformer_sees_no_later_character():
    text = train_transformer.load()
    settings = train_transformer.QUICK
    params = train_transformer.start(np.random.default_rng(0), text, settings)
    ids = text.held_back[: settings.length][None]
    changed = np.concatenate([ids[:, :20], (ids[:, 20:] + 1) % len(text.alphabet)], axis=1)
    before = train_transformer.transformer.forward(params, ids)
    after = train_transformer.transformer.forward(params, changed)
    np.testing.assert_array_equal(before[:, :20], after[:, :20])
    assert not np.allclose(before[:, 20], after[:, 20])


def test_adam_takes_steps_of_the_rate_at_first_and_forgets_the_scale_of_the_gradient():
    for scale in (1e-3, 1.0, 1e3):
        adam = training.Adam()
        params = {"w": np.array([1.0, -2.0])}
        gradient = {"w": scale * np.array([3.0, -0.5])}
        for _ in range(3):
            params = adam.step(params, gradient, rate=0.1)
        np.testing.assert_allclose(params["w"], [0.7, -1.7], rtol=1e-4)


def test_the_rate_rises_to_its_peak_and_falls_to_a_tenth():
    rates = [training.warm_up_and_cool_down(step, 100, 10, 2.0) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(2.0) == rates[10]
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert training.warm_up_and_cool_down(100, 100, 10, 2.0) == pytest.approx(0.2)


def test_minibatches_hold_every_place_once():
    batches = training.minibatches(np.random.default_rng(0), 100, 16)
    assert sorted(np.concatenate(batches)) == list(range(100))
    assert {len(batch) for batch in batches} == {16, 17}


def test_the_command_line_trains_for_seconds_and_draws_the_loss(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "loss.png"
    monkeypatch.setattr("sys.argv", ["train_lstm", "--quick", "--seed", "1", str(picture)])
    train_lstm.main()
    captured = capsys.readouterr()
    assert "3 epochs" in captured.out and "%" in captured.out
    assert "training" in captured.err
    assert picture.read_bytes().startswith(b"\x89PNG")
