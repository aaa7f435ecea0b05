"""The linear model: what it gives is what its weights say; a fit learns, starts at a prior, and can be kept."""

from pathlib import Path

import numpy as np
import pytest

from safety_assets.reading.fitting import fit, tempered
from safety_assets.reading.linear import SHARE, SIGN, Features, Linear, load

HAND = Linear(
    ("no", "yes"),
    {"sign": 0, "good": 1, "bad": 2},
    np.array([[0.0, 1.0], [0.0, 2.0], [3.0, 0.0]]),
    np.array([0.5, 0.0]),
)
TEXTS = [Features([], ["good", f"x{i}"]) for i in range(6)] + [Features(["sign"], ["bad", f"x{i}"]) for i in range(6)]
LABELS = [{"yes"}] * 6 + [{"no"}] * 6
GROUPS = [f"g{i}" for i in range(12)]


def test_scores_are_bias_plus_signs_plus_shared_words() -> None:
    scores = HAND.scores([Features(["sign"], ["good", "bad", "unknown"]), Features([], [])])
    part = SHARE / 2**0.5
    assert scores[0] == pytest.approx([0.5 + 3 * part, SIGN + 2 * part])
    assert scores[1] == pytest.approx([0.5, 0.0])
    assert HAND.shares(HAND.scores([Features([], [])]))[0].sum() == pytest.approx(1)
    assert HAND.reasons(Features(["sign"], ["good"]), "yes") == ["good", "sign"]


def test_a_fit_tells_its_labels_apart_and_drops_words_of_few_groups() -> None:
    model = fit(TEXTS, LABELS, groups=GROUPS, penalty=0.1)
    assert set(model.index) == {"sign", "good", "bad"}
    shares = model.shares(model.scores(TEXTS))[:, model.classes.index("yes")]
    assert (shares[:6] > 0.9).all()
    assert (shares[6:] < 0.1).all()


def test_a_heavy_penalty_stays_at_the_prior() -> None:
    model = fit(TEXTS, [{"no"}] * 12, groups=GROUPS, prior=HAND, penalty=1e6)
    assert model.classes == HAND.classes
    assert model.weights[:3] == pytest.approx(HAND.weights, abs=1e-3)
    assert (
        model.shares(model.scores(TEXTS))[:, 0].mean() > HAND.shares(HAND.scores(TEXTS))[:, 0].mean()
    )  # the bias is free


def test_a_label_may_leave_open_which_class() -> None:
    model = fit(
        TEXTS, [{"yes", "maybe"}] * 6 + [{"no"}] * 6, groups=GROUPS, classes=("no", "yes", "maybe"), penalty=0.1
    )
    shares = model.shares(model.scores(TEXTS))
    assert (shares[:6, 1:].sum(axis=1) > 0.9).all()
    assert shares[0, 1] == pytest.approx(shares[0, 2])


def test_temperature_makes_a_boastful_model_modest() -> None:
    scores = np.array([[9.0, 0.0]] * 7 + [[0.0, 9.0]] * 3)
    model = tempered(HAND, scores, [{"no"}] * 10)
    sure = 1 / (1 + np.exp(-9 / model.temperature))
    assert sure == pytest.approx(0.7, abs=0.01)


def test_a_model_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    HAND.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")
    assert again.scores(TEXTS) == pytest.approx(HAND.scores(TEXTS), abs=2e-3 * SHARE)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    HAND.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(text.replace('"yes"', '"yes", "more"'))
    with pytest.raises(ValueError, match="classes are 3"):
        load(tmp_path / "model.json")
