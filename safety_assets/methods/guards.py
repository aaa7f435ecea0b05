"""How safe an answer is so far: what a guard is handed and gives back, and the two there are.

The base as its own guard: an answer is safe as far as the base would not have refused what was asked, and wholly once
the answer itself refuses, by the project's rules (refusals). That the base would refuse is the probability that its
answer opens as the refusal pairs do. It is asked where the answer begins: behind tokens of an answer the odds of a
refusal say less. On the bundled model they tell prompts of refusals from those of other pairs with an area under the
ROC curve of 0.991 at the answer's beginning (by first tokens alone 0.919), and of 0.891 one token later: 120 and 240
prompts, `python -m benchmarks.guard`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context
from safety_assets.models.batch import pad_right
from safety_assets.models.chat import Encoded
from safety_assets.refusals import is_refusal
from safety_assets.store import digest_file, digest_json

NUM_OPENINGS = 8
OPENING_TOKENS = 4
"""Commonest beginnings of refusals that are asked for, and tokens of each."""

BATCH_ROWS = 32


@dataclass(frozen=True)
class Partial:
    """An answer up to some token: ids of the chat before it, and of what was said."""

    prompt: tuple[int, ...]
    said: tuple[int, ...]


Guard = Callable[[Sequence[Partial]], list[float]]
"""Partial answers to how safe each is, 0 to 1."""


def base_guard(context: Context, bias: float) -> Guard:
    """The base's own odds of a refusal.

    Args:
        bias: added to the log-odds that the base would refuse, nats; larger finds less safe.

    Raises:
        TrainingError: no refusal pair says how refusals open.
    """
    openings = _openings(context)

    def guard(partials: Sequence[Partial]) -> list[float]:
        prompts = list(dict.fromkeys(p.prompt for p in partials))
        odds = dict(zip(prompts, refusal_odds(context, prompts, openings).tolist(), strict=True))
        values = torch.sigmoid(-torch.tensor([odds[p.prompt] + bias for p in partials])).tolist()
        refuses = [is_refusal(context.tokenizer.decode(list(p.said), skip_special_tokens=True)) for p in partials]
        return [1.0 if refused else value for value, refused in zip(values, refuses, strict=True)]

    return guard


def refusal_odds(context: Context, prompts: Sequence[Sequence[int]], openings: Sequence[Sequence[int]]) -> Tensor:
    """Log-odds that the base opens its answer in one of these ways, nats.

    Args:
        openings: distinct, of one length; so their probabilities add up.

    Returns:
        (prompts,) fp64, on the CPU
    """
    shares = torch.zeros(len(prompts), dtype=torch.float64)
    for opening in openings:
        for start in range(0, len(prompts), BATCH_ROWS):
            some = prompts[start : start + BATCH_ROWS]
            rows = [Encoded([*prompt, *opening], [False] * len(prompt) + [True] * len(opening)) for prompt in some]
            shares[start : start + len(some)] += _likelihoods(context, rows)
    shares = shares.clamp(1e-12, 1 - 1e-12)
    return shares.log() - (-shares).log1p()


def _likelihoods(context: Context, rows: Sequence[Encoded]) -> Tensor:
    """Probability of each row's response tokens under the base, together.  # (rows,) fp64, on the CPU"""
    batch = pad_right(rows, 0, context.whole_batch([0]).ids.device)
    logprobs = context.reference(batch).log_softmax(-1).gather(-1, batch.targets[:, None]).squeeze(-1)
    return torch.stack([own.double().sum() for own in logprobs.split(batch.responses_per_row.tolist())]).exp().cpu()


def _openings(context: Context) -> list[tuple[int, ...]]:
    answers = [_answer(row.ids.tolist(), row.response) for row in context.rows if row.origin == "refusal"]
    found = Counter(a[:OPENING_TOKENS] for a in answers if len(a) >= OPENING_TOKENS)
    shorter = Counter(a[:1] for a in answers)
    if not answers:
        raise TrainingError(
            "dynamic_shaping does not know how refusals open", expected="refusal pairs in audited_corpus",
            do="add refusal pairs, name a guard in the recipe, or leave dynamic_shaping out",
        )  # fmt: skip
    return [opening for opening, _ in (found or shorter).most_common(NUM_OPENINGS)]


def _answer(ids: Sequence[int], response: bytes) -> tuple[int, ...]:
    """Token ids of the last answer of a row."""
    end = response.rindex(1) + 1
    start = response.rfind(0, 0, end) + 1
    return tuple(ids[start:end])


def classifier_guard(folder: Path, identity: str | None, tokenizer: PreTrainedTokenizerBase) -> Guard:
    """A sequence classifier of two labels, safe and unsafe, read from a folder: sigmoid(safe - unsafe).

    Args:
        folder: a transformers folder with safetensors; no code of it is run.
        identity: what its files must be; any when None.
        tokenizer: the base's, which partial answers are decoded with.

    Raises:
        TrainingError: it cannot be read, is another one, or has other labels.
    """
    model, own, safe, unsafe = _classifier(folder, identity)

    @torch.no_grad()
    def guard(partials: Sequence[Partial]) -> list[float]:
        values: list[float] = []
        for start in range(0, len(partials), BATCH_ROWS):
            texts = [_texts(tokenizer, partial) for partial in partials[start : start + BATCH_ROWS]]
            given = own(
                [a for a, _ in texts], [b for _, b in texts], return_tensors="pt", padding=True, truncation=True
            )
            logits = model(**given).logits.float()
            values += torch.sigmoid(logits[:, safe] - logits[:, unsafe]).tolist()
        return values

    return guard


def guard_identity(folder: Path) -> str:
    """One digest over the weights, configuration and tokenizer of a folder: sha256 over names and digests."""
    files = sorted({*folder.glob("*.safetensors"), *folder.glob("*.json"), *folder.glob("*.model")})
    return digest_json({file.name: digest_file(file) for file in files})


def _classifier(folder: Path, identity: str | None) -> tuple:
    try:
        model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        own = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"the guard in {folder} cannot be read: {error}", expected="a sequence classifier with safetensors",
            do="name another folder as guard",
        ) from error  # fmt: skip
    found = guard_identity(folder)
    if identity is not None and found != identity:
        raise TrainingError(
            f"the guard in {folder} is {found[:12]}", expected=identity[:12], do="correct guard_identity in the recipe"
        )
    labels = {name.casefold(): place for place, name in model.config.id2label.items()}
    if labels.keys() != {"safe", "unsafe"}:
        raise TrainingError(
            f"the guard in {folder} knows the labels {', '.join(sorted(labels))}", expected="safe and unsafe",
            do="name its labels so in id2label of its config.json",
        )  # fmt: skip
    return model.eval(), own, labels["safe"], labels["unsafe"]


def _texts(tokenizer: PreTrainedTokenizerBase, partial: Partial) -> tuple[str, str]:
    before, said = (tokenizer.decode(list(ids), skip_special_tokens=True) for ids in (partial.prompt, partial.said))
    return before, said
