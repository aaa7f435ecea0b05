"""Guards: the base's own odds of a refusal, and a classifier from a folder."""

from itertools import product
from pathlib import Path

import polars as pl
import pytest
import torch
from opened_run import opened, rows

from safety_assets.errors import TrainingError
from safety_assets.methods.guards import Partial, base_guard, classifier_guard, guard_identity, refusal_odds
from safety_assets.methods.moments import Context


@pytest.fixture
def context(tiny_model: Path, tmp_path: Path) -> Context:
    return opened(tiny_model, tmp_path, {"method": "lora"}).contexts[0]


def prompt(context: Context, place: int) -> tuple[int, ...]:
    row = context.rows[place]
    return tuple(row.ids[: row.response.index(1)])


def test_the_odds_are_those_of_all_openings_together(context: Context) -> None:
    """Over all tokens the shares of one-token openings add up to 1, and halves of them to what is missing."""
    vocab = context.model.config.vocab_size
    asked = [prompt(context, 0), prompt(context, 4)]
    one = refusal_odds(context, asked, [(i,) for i in range(0, vocab, 2)])
    other = refusal_odds(context, asked, [(i,) for i in range(1, vocab, 2)])
    assert torch.allclose(one, -other, atol=1e-4)


def test_an_opening_of_two_tokens_is_their_joint_probability(context: Context) -> None:
    tokens = range(context.model.config.vocab_size)
    first = refusal_odds(context, [prompt(context, 0)], [(50,)])
    after = refusal_odds(context, [prompt(context, 0)], list(product((50,), tokens)))
    assert torch.allclose(first, after, atol=1e-3)


def test_a_refusal_is_safe_whatever_was_asked_and_other_answers_as_the_odds_say(context: Context) -> None:
    asked = prompt(context, 0)
    said = [context.tokenizer(text)["input_ids"] for text in ("I cannot help with that", "open account", "open")]
    partials = [Partial(asked, tuple(ids)) for ids in said]
    strict, lenient = (base_guard(context, bias)(partials) for bias in (20.0, -20.0))
    assert strict[0] == lenient[0] == 1.0
    assert strict[1] == strict[2]  # the odds are of what was asked
    assert strict[1] < lenient[1] == pytest.approx(1.0)


def test_the_odds_rise_with_the_probability_of_the_refusal(context: Context) -> None:
    """The opening that the base itself would take is likelier than any other."""
    asked = [prompt(context, 2)]
    batch = context.whole_batch([2])
    likeliest = int(context.reference(batch)[0].argmax())
    shares = [float(refusal_odds(context, asked, [(token,)])) for token in (likeliest, 7, 99)]
    assert shares[0] > max(shares[1:])


def test_without_refusals_it_says_so(tiny_model: Path, tmp_path: Path) -> None:
    without = rows().filter(pl.col("origin") != "refusal")
    with pytest.raises(TrainingError, match="does not know how refusals open"):
        opened(tiny_model, tmp_path, {"method": "dynamic_shaping"}, given=without)


@pytest.fixture
def classifier(tiny_model: Path, tmp_path: Path):
    """Makes a folder with a small classifier of two labels."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

    def make(*labels: str) -> Path:
        folder = tmp_path / "-".join(labels)
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        config = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, pad_token_id=0,
            num_attention_heads=2, num_key_value_heads=2, id2label=dict(enumerate(labels)), initializer_range=1.0,
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(0)
            LlamaForSequenceClassification(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


def test_a_classifier_gives_what_its_labels_say(context: Context, classifier) -> None:
    partials = [Partial(prompt(context, (i + 5) % 24), tuple(prompt(context, i % 24)[1:3])) for i in range(40)]
    one = classifier_guard(classifier("safe", "unsafe"), None, context.tokenizer)(partials)
    other = classifier_guard(classifier("Unsafe", "Safe"), None, context.tokenizer)(partials)
    assert one == pytest.approx([1 - value for value in other], abs=1e-5)
    assert len(set(one)) > 5
    assert all(0 <= value <= 1 for value in one)


def test_a_guard_is_the_one_that_the_recipe_names(context: Context, classifier) -> None:
    folder = classifier("safe", "unsafe")
    classifier_guard(folder, guard_identity(folder), context.tokenizer)
    with pytest.raises(TrainingError, match="guard_identity"):
        classifier_guard(folder, "0" * 64, context.tokenizer)
    with pytest.raises(TrainingError, match="knows the labels negative, positive"):
        classifier_guard(classifier("positive", "negative"), None, context.tokenizer)
    with pytest.raises(TrainingError, match="cannot be read"):
        classifier_guard(folder / "nowhere", None, context.tokenizer)


def test_it_is_reached_through_a_recipe(tiny_model: Path, tmp_path: Path, classifier) -> None:
    folder = classifier("safe", "unsafe")
    run = opened(tiny_model, tmp_path, {"method": "dynamic_shaping", "guard": str(folder)})
    assert 0 < run.progress.history[0][2] < 1
