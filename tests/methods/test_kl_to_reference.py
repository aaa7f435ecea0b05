"""The divergence per response token, in both directions, and where it is added."""

from pathlib import Path

import pytest
import torch
from opened_run import finished, opened
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.methods import kept, references
from safety_assets.methods.gradients import norm
from safety_assets.methods.references import Reference, forward_kl, keep_reference, token_kl


def logits(vocab: int, seed: int) -> Tensor:
    return torch.randn(5, vocab, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("reverse", [False, True])
def test_the_divergence_is_torchs(reverse: bool) -> None:
    base, model = logits(9, 0), logits(9, 1)
    first, second = (model, base) if reverse else (base, model)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=first), torch.distributions.Categorical(logits=second)
    )
    assert torch.allclose(token_kl(keep_reference(base, 1.0), model, reverse=reverse), expected, atol=1e-6)


def test_its_mean_is_the_divergence_of_gradient_surgery() -> None:
    reference, model = keep_reference(logits(9, 0), 1.0), logits(9, 1)
    assert float(token_kl(reference, model).mean()) == pytest.approx(float(forward_kl(reference, model, 1.0)))


@pytest.mark.parametrize("reverse", [False, True])
def test_the_likeliest_tokens_bound_it_from_below(monkeypatch: pytest.MonkeyPatch, reverse: bool) -> None:
    base, model = logits(90, 0), logits(90, 1)
    whole = token_kl(keep_reference(base, 1.0), model, reverse=reverse)
    monkeypatch.setattr(references, "WHOLE_VOCABULARY", 10)
    monkeypatch.setattr(references, "TOP", 30)
    some = token_kl(keep_reference(base, 1.0), model, reverse=reverse)
    assert (some > 0).all()
    assert (some <= whole + 1e-6).all()


def test_of_no_token_it_is_nothing() -> None:
    none = torch.zeros(0, 7)
    assert float(token_kl(Reference(none), none).sum()) == 0.0


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("bound", [kept.KEPT_BYTES, 0])
def test_at_the_base_the_term_is_zero_and_grows_with_its_strength(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direction: str, bound: int
) -> None:
    monkeypatch.setattr("safety_assets.methods.kept.Kept.__init__.__kwdefaults__", {"bound": bound})
    entry = {"method": "kl_to_reference", "strength": 2.0, "direction": direction}
    run = opened(tiny_model, tmp_path, entry)
    context, method, batch = run.contexts[0], run.methods[0], run.contexts[0].batch([0, 4, 14])
    at_base = context.reference(batch)
    assert float(method.add_loss(context, batch, at_base, 0)) == pytest.approx(0, abs=1e-5)
    moved = at_base + logits(at_base.shape[1], 1)[:1]
    expected = token_kl(keep_reference(at_base, 1.0), moved, reverse=direction == "reverse").sum()
    assert float(method.add_loss(context, batch, moved, 0)) == pytest.approx(2 * float(expected), rel=1e-4)
    assert method.passes(0).reference == int(bound == 0)


@pytest.mark.parametrize("changes", [{"strength": 20.0}, {"strength": 0, "pairs_strength": 20.0}])
def test_a_strong_term_leaves_the_model_nearer_to_the_base(tiny_model: Path, tmp_path: Path, changes: dict) -> None:
    def distance(name: str, *methods: dict) -> float:
        run = finished(opened(tiny_model, tmp_path / name, *methods, batch_rows=8))
        batch = run.contexts[-1].batch(range(12, 24))
        with torch.no_grad():
            from safety_assets.models.batch import response_logits

            now = response_logits(run.loaded.model, batch)
        return float(token_kl(keep_reference(run.contexts[-1].reference(batch), 1.0), now).mean())

    watching = {"method": "gradient_surgery", "every": 100}  # a context to look through
    near = distance("near", {"method": "kl_to_reference", **changes}, watching)
    assert near < 0.5 * distance("plain", watching)


def test_at_the_base_pairs_pull_nowhere(tiny_model: Path, tmp_path: Path) -> None:
    run = opened(tiny_model, tmp_path, {"method": "kl_to_reference", "strength": 0, "pairs_strength": 3.0})
    run.methods[0].edit_gradients(run.contexts[0], 0)
    assert norm([p.grad for p in run.contexts[0].parameters()]) < 1e-3


def test_pairs_that_are_not_there_are_asked_for(tiny_model: Path, tmp_path: Path) -> None:
    import polars as pl
    from opened_run import rows

    without = rows().filter(pl.col("origin") != "anchor")
    entry = {"method": "kl_to_reference", "pairs_strength": 1.0, "origins": ["anchor"]}
    with pytest.raises(TrainingError, match="kl_to_reference has no row"):
        opened(tiny_model, tmp_path, entry, given=without)
