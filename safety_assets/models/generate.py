"""Greedy answers and likelihoods of answers, in batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from safety_assets.errors import ModelError
from safety_assets.models.batch import pad_left, pad_right, positions, response_logits
from safety_assets.models.chat import Chat, Encoded, encode_chat, encode_prompt
from safety_assets.models.load import LoadedModel

BEGINNING = 24
"""Tokens of a chat by which a person finds it."""
SHRINK = 0.75
"""Finished rows leave the batch once at most this share of its rows still runs."""


@dataclass(frozen=True)
class Completion:
    """One answer.

    Args:
        text: what was generated, without special tokens and surrounding white space.
        num_tokens: generated tokens, the end token not counted.
        finish: stop (the model ended) or length (it was cut).
    """

    text: str
    num_tokens: int
    finish: Literal["stop", "length"]


@dataclass
class _Answers:
    """Token ids of each prompt of a batch, as far as generated."""

    ids: list[list[int]]
    stopped: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stopped = [False] * len(self.ids)

    def extend(self, rows: list[int], tokens: list[int], stop_ids: frozenset[int]) -> list[int]:
        """Append one token to each running row; returns the places in `rows` that run on."""
        for row, token in zip(rows, tokens, strict=True):
            if self.stopped[row]:
                continue
            if token in stop_ids:
                self.stopped[row] = True
            else:
                self.ids[row].append(token)
        return [place for place, row in enumerate(rows) if not self.stopped[row]]


class Generator:
    """Answers chats with one model, greedily and deterministically.

    Args:
        loaded: the model.
        batch_rows: prompts per forward pass.
        told: takes, after each batch, how many answers are there and of how many.
    """

    def __init__(
        self, loaded: LoadedModel, batch_rows: int = 128, told: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        self._loaded, self._batch_rows, self._told = loaded, batch_rows, told
        self._stop_ids = frozenset(loaded.stop_ids)

    @property
    def model(self) -> str:
        """Identity digest of the weights that answer."""
        return self._loaded.digest

    @torch.inference_mode()
    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> list[Completion]:
        """The greedy answer to each chat, in order.

        Args:
            chats: messages up to the turn to be answered.
            max_new_tokens: at least 1; answers are cut there, or where the model's context ends.

        Raises:
            ModelError: a prompt fills the model's context.
        """
        prompts = [encode_prompt(self._loaded.tokenizer, chat) for chat in chats]
        self._room(prompts, max_new_tokens)  # all of them: the longest are asked last
        answers: list[Completion | None] = [None] * len(prompts)
        for places in self._batches([len(p) for p in prompts]):
            room = self._room([prompts[i] for i in places], max_new_tokens)
            done = self._answer([prompts[i] for i in places], room)
            for place, completion in zip(places, done, strict=True):
                answers[place] = completion
        return [a for a in answers if a is not None]

    @torch.inference_mode()
    def choice_logprobs(self, chats: Sequence[Chat], choices: Sequence[Sequence[str]]) -> list[list[float]]:
        """Mean log-probability per token (nats, end of turn included) of each choice as the next answer.

        Args:
            chats: messages up to the turn to be answered.
            choices: for each chat its candidate answers.

        Raises:
            ModelError: a choice does not fit the context, or the template's prefix rule breaks.
        """
        whole = [self._last_turn(c, choice) for c, own in zip(chats, choices, strict=True) for choice in own]
        means = [0.0] * len(whole)
        self._room([e.ids for e in whole], 0)
        for places in self._batches([len(e.ids) for e in whole]):
            for place, mean in zip(places, self._mean_logprobs([whole[i] for i in places]), strict=True):
                means[place] = mean
        values = iter(means)
        return [[next(values) for _ in own] for own in choices]

    def _batches(self, lengths: list[int]) -> Iterator[list[int]]:
        """Places sorted by length, cut into batches; after each it is told how far that is."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        for start in range(0, len(order), self._batch_rows):
            places = order[start : start + self._batch_rows]
            yield places
            self._told(start + len(places), len(order))

    def _room(self, prompts: list[list[int]], wanted: int) -> int:
        longest, limit = max(map(len, prompts), default=0), self._loaded.max_tokens
        if longest > limit or (wanted and longest == limit):
            begins = self._loaded.tokenizer.decode(max(prompts, key=len)[:BEGINNING])
            raise ModelError(
                f"a chat has {longest} tokens; it begins {begins!r}",
                expected=f"fewer than {limit}, the model's context",
                do="shorten that probe or task, or take it out",
            )
        return min(wanted, limit - longest)

    def _answer(self, prompts: list[list[int]], max_new_tokens: int) -> list[Completion]:
        """The decoding loop of one batch: one token per running row and pass, with a cache."""
        device, model = self._loaded.device, self._loaded.model
        ids, mask = pad_left(prompts, self._loaded.tokenizer.pad_token_id, device)  # (rows, tokens)
        where, cache = positions(mask), DynamicCache(config=model.config)
        answers, rows = _Answers([[] for _ in prompts]), list(range(len(prompts)))
        for step in range(max_new_tokens):
            logits = self._forward(ids, mask, where, cache)  # (rows, vocab)
            tokens = logits.argmax(-1)
            running = answers.extend(rows, tokens.tolist(), self._stop_ids)
            if not running or step + 1 == max_new_tokens:
                break
            where = where[:, -1:] + 1
            if len(running) <= SHRINK * len(rows):
                keep = torch.tensor(running, device=device)
                rows, tokens, mask, where = [rows[i] for i in running], tokens[keep], mask[keep], where[keep]
                cache.batch_select_indices(keep)
            ids, mask = tokens[:, None], functional.pad(mask, (0, 1), value=1)
        return [self._completion(i, s) for i, s in zip(answers.ids, answers.stopped, strict=True)]

    def _forward(self, ids: Tensor, mask: Tensor, where: Tensor, cache: DynamicCache) -> Tensor:
        with self._loaded.precision():
            out = self._loaded.model(
                input_ids=ids, attention_mask=mask, position_ids=where, past_key_values=cache, use_cache=True,
                logits_to_keep=1,
            )  # fmt: skip
        return out.logits[:, -1]

    def _completion(self, ids: list[int], stopped: bool) -> Completion:
        text = self._loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return Completion(text, len(ids), "stop" if stopped else "length")

    def _last_turn(self, chat: Chat, choice: str) -> Encoded:
        """The chat with a choice as its answer; only that answer counts as response."""
        encoded = encode_chat(self._loaded.tokenizer, [*chat, {"role": "assistant", "content": choice}])
        start = len(encode_prompt(self._loaded.tokenizer, chat))
        return Encoded(encoded.ids, [r and i >= start for i, r in enumerate(encoded.response)])

    def _mean_logprobs(self, rows: list[Encoded]) -> list[float]:
        batch = pad_right(rows, self._loaded.tokenizer.pad_token_id, self._loaded.device)
        with self._loaded.precision():
            logits = response_logits(self._loaded.model, batch)  # (responses, vocab)
        own = -functional.cross_entropy(logits, batch.targets, reduction="none")  # (responses,)
        counts = batch.response[:, 1:].sum(1)  # (rows,)
        row = torch.repeat_interleave(torch.arange(len(rows), device=own.device), counts)
        sums = torch.zeros(len(rows), device=own.device).index_add_(0, row, own)
        return (sums / counts).tolist()
