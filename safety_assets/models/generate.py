"""Greedy answers and likelihoods of answers, in batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache

from safety_assets.errors import ModelError
from safety_assets.models.batch import pad_left, pad_right, positions, response_logits
from safety_assets.models.chat import Chat, Encoded, encode_chat, encode_prompt
from safety_assets.models.decoding import Answers, Running, joins, repeated, shared_beginning, together
from safety_assets.models.load import LoadedModel

BEGINNING = 24
"""Tokens of a chat by which a person finds it."""
SHRINK = 0.75
"""Finished rows leave the batch once at most this share of its rows still runs."""
FEWEST_SHARED = 16
"""Tokens that all prompts of a batch must begin with (a system prompt, a template's head) to be read only once."""
READ = 2048
"""Tokens of prompts that are read in one pass, if they are of more than one: more fit no processor's cache, and shorter
prompts would be padded further."""
LEAVE = 0.6
"""Once at most this share of a batch still runs, its rows are set aside and go on with those of other batches: a few
long answers cost no more passes than one batch of them."""


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
        self.loaded, self._batch_rows, self._told = loaded, batch_rows, told
        self._stop_ids = frozenset(loaded.stop_ids)

    @property
    def model(self) -> str:
        """Identity digest of the weights that answer."""
        return self.loaded.digest

    @torch.inference_mode()
    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> list[Completion]:
        """The greedy answer to each chat, in order.

        Args:
            chats: messages up to the turn to be answered.
            max_new_tokens: at least 1; answers are cut there, or where the model's context ends.

        Raises:
            ModelError: a prompt fills the model's context.
        """
        prompts = [encode_prompt(self.loaded.tokenizer, chat) for chat in chats]
        self._room(prompts, max_new_tokens)  # all of them: the longest are asked last
        limits = [min(max_new_tokens, self.loaded.max_tokens - len(prompt)) for prompt in prompts]
        answers, set_aside = Answers(limits, self._stop_ids), list[Running]()
        for places in self._batches([len(prompt) for prompt in prompts]):
            set_aside += self._answer(self._begun([prompts[i] for i in places], places, answers), answers, LEAVE)
            while sum(len(rows.prompts) for rows in set_aside) >= self._batch_rows:
                set_aside = self._answer(set_aside, answers, LEAVE)
        if set_aside:
            self._answer(set_aside, answers, 0.0)
        return [self._completion(ids, stopped) for ids, stopped in zip(answers.ids, answers.stopped, strict=True)]

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
        longest, limit = max(map(len, prompts), default=0), self.loaded.max_tokens
        if longest > limit or (wanted and longest == limit):
            begins = self.loaded.tokenizer.decode(max(prompts, key=len)[:BEGINNING])
            raise ModelError(
                f"a chat has {longest} tokens; it begins {begins!r}",
                expected=f"fewer than {limit}, the model's context",
                do="shorten that probe or task, or take it out",
            )
        return min(wanted, limit - longest)

    def _begun(self, prompts: Sequence[list[int]], places: list[int], answers: Answers) -> list[Running]:
        """A batch after its first pass, in parts; none when all its answers have ended."""
        head = self._head(prompts)
        parts = []
        for part in self._parts(prompts, head):
            rows = self._opened(prompts[part], places[part], head)
            parts += [rows] if self._said(rows, answers) else []
        return parts

    def _parts(self, prompts: Sequence[list[int]], head: Running | None) -> list[slice]:
        """Which prompts are read in one pass, the shorter ones first; all, where caches cannot be joined."""
        most = len(prompts)
        if joins(self._cache()):
            longest = max(map(len, prompts)) - (0 if head is None else head.ids.shape[1])
            parts = -(-len(prompts) * longest // READ)
            most = -(-len(prompts) // parts)
        return [slice(start, start + most) for start in range(0, len(prompts), most)]

    def _cache(self) -> DynamicCache:
        return DynamicCache(config=self.loaded.model.config)

    def _head(self, prompts: Sequence[list[int]]) -> Running | None:
        """What all prompts of a batch begin with as a row that was read, where that is long."""
        shared, cache = shared_beginning(prompts), self._cache()
        if shared < FEWEST_SHARED or len(prompts) == 1 or not joins(cache):
            return None
        ids = torch.tensor([prompts[0][:shared]], device=self.loaded.device)
        mask = torch.ones_like(ids)
        head = Running([0], ids, mask, positions(mask), cache)
        self._forward(head)
        return head

    def _opened(self, prompts: Sequence[list[int]], places: list[int], head: Running | None) -> Running:
        """Prompts before their first pass, behind the head that was read."""
        shared = 0 if head is None else head.ids.shape[1]
        config, pad_id = self.loaded.model.config, self.loaded.tokenizer.pad_token_id
        ids, mask = pad_left([ids[shared:] for ids in prompts], pad_id, self.loaded.device)
        mask = functional.pad(mask, (shared, 0), value=1)
        cache = self._cache() if head is None else repeated(head.cache, len(prompts), config)
        return Running(places, ids, mask, positions(mask)[:, shared:], cache)

    def _answer(self, parts: Sequence[Running], answers: Answers, leave: float) -> list[Running]:
        """The decoding loop of one batch: one token per running row and pass, with a cache.

        Args:
            parts: its rows, each one token behind its cache.
            leave: share of the rows at or under which those that still run are given back instead; 0 when there are no
                others that they could be joined with.
        """
        if not parts:
            return []
        joined = joins(parts[0].cache)
        rows, leave = (together(parts, self.loaded.model.config), leave) if joined else (parts[0], 0.0)
        begun = len(rows.prompts)
        while running := self._said(rows, answers):
            few = len(running) <= leave * begun
            if few or (len(running) <= SHRINK * len(rows.prompts) and not leave):
                rows.keep(running)
            if few:
                return [rows]
        return []

    def _said(self, rows: Running, answers: Answers) -> list[int]:
        """One pass: rows that run on, and are ready for the next."""
        tokens = self._forward(rows).argmax(-1)
        running = answers.extend(rows.prompts, tokens.tolist())
        rows.go_on(tokens)
        return running

    def _forward(self, rows: Running) -> Tensor:
        """Logits of the next token of each row.  # (rows, vocab)

        A row that is through may still be in the batch; it stays at the last position that the model knows.
        """
        where = rows.where.clamp(max=self.loaded.max_tokens - 1)
        with self.loaded.precision():
            out = self.loaded.model(
                input_ids=rows.ids, attention_mask=rows.mask, position_ids=where, past_key_values=rows.cache,
                use_cache=True, logits_to_keep=1,
            )  # fmt: skip
        return out.logits[:, -1]

    def _completion(self, ids: list[int], stopped: bool) -> Completion:
        text = self.loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return Completion(text, len(ids), "stop" if stopped else "length")

    def _last_turn(self, chat: Chat, choice: str) -> Encoded:
        """The chat with a choice as its answer; only that answer counts as response."""
        encoded = encode_chat(self.loaded.tokenizer, [*chat, {"role": "assistant", "content": choice}])
        start = len(encode_prompt(self.loaded.tokenizer, chat))
        return Encoded(encoded.ids, [r and i >= start for i, r in enumerate(encoded.response)])

    def _mean_logprobs(self, rows: list[Encoded]) -> list[float]:
        batch = pad_right(rows, self.loaded.tokenizer.pad_token_id, self.loaded.device)
        with self.loaded.precision():
            logits = response_logits(self.loaded.model, batch)  # (responses, vocab)
        own = -functional.cross_entropy(logits, batch.targets, reduction="none")  # (responses,)
        counts = batch.response[:, 1:].sum(1)  # (rows,)
        row = torch.repeat_interleave(torch.arange(len(rows), device=own.device), counts)
        sums = torch.zeros(len(rows), device=own.device).index_add_(0, row, own)
        return (sums / counts).tolist()
