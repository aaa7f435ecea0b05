"""Rows that are being answered: what goes into the next pass, the cache behind it, and the join of several batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer


@dataclass
class Answers:
    """Token ids of each prompt, as far as generated.

    Args:
        limits: most tokens of each answer, 1 or more.
        stop_ids: tokens that end an answer; they are not kept.
    """

    limits: list[int]
    stop_ids: frozenset[int]
    ids: list[list[int]] = field(init=False)
    stopped: list[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.ids, self.stopped = [[] for _ in self.limits], [False] * len(self.limits)

    def extend(self, prompts: Sequence[int], tokens: Sequence[int]) -> list[int]:
        """Append one token to each running answer; returns the places in `prompts` that run on."""
        for prompt, token in zip(prompts, tokens, strict=True):
            if not self.done(prompt):
                self._append(prompt, token)
        return [place for place, prompt in enumerate(prompts) if not self.done(prompt)]

    def _append(self, prompt: int, token: int) -> None:
        if token in self.stop_ids:
            self.stopped[prompt] = True
        else:
            self.ids[prompt].append(token)

    def done(self, prompt: int) -> bool:
        """Whether an answer has ended, or been cut."""
        return self.stopped[prompt] or len(self.ids[prompt]) >= self.limits[prompt]


@dataclass
class Running:
    """Rows of one pass.

    Args:
        prompts: which prompt each row answers.
        ids: tokens that the cache does not hold yet, the prompts at first, then one each.  # (rows, new)
        mask: 1 on tokens, 0 on padding, which stands on the left; those in the cache included.  # (rows, tokens)
        where: position of each of `ids` in its row.  # (rows, new)
        cache: keys and values of the tokens before.
    """

    prompts: list[int]
    ids: Tensor
    mask: Tensor
    where: Tensor
    cache: DynamicCache

    def go_on(self, places: Sequence[int], tokens: Tensor) -> None:
        """The next pass, of some of the rows.

        Args:
            places: rows that run on, ascending.
            tokens: what each row said last.  # (rows,)
        """
        where, mask = self.where[:, -1:] + 1, self.mask
        if len(places) < len(self.prompts):
            kept = torch.tensor(places, device=tokens.device)
            self.prompts = [self.prompts[place] for place in places]
            tokens, where, mask = tokens[kept], where[kept], mask[kept]
            self.cache.batch_select_indices(kept)
        self.ids, self.where, self.mask = tokens[:, None], where, functional.pad(mask, (0, 1), value=1)


def shared_beginning(prompts: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with, at least one of each left out."""
    first, last = min(prompts), max(prompts)  # what these two share, all share
    most = min(map(len, prompts)) - 1
    return next((place for place in range(most) if first[place] != last[place]), most)


def joins(cache: DynamicCache) -> bool:
    """Whether rows of several caches of this kind can be put together: every layer keeps all tokens."""
    return bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)


def together(parts: Sequence[Running], config: PretrainedConfig) -> Running:
    """Rows of several batches, each one token behind its cache, as one; the shorter ones are padded on the left."""
    if len(parts) == 1:
        return parts[0]
    longest = max(part.mask.shape[1] for part in parts)
    gaps = [longest - part.mask.shape[1] for part in parts]
    cache = DynamicCache(config=config)
    for number, (keys, values) in enumerate(_layers(parts, gaps)):
        cache.update(keys, values, number)
    return Running(
        prompts=[prompt for part in parts for prompt in part.prompts],
        ids=torch.cat([part.ids for part in parts]),
        mask=torch.cat([functional.pad(part.mask, (gap, 0)) for part, gap in zip(parts, gaps, strict=True)]),
        where=torch.cat([part.where for part in parts]),
        cache=cache,
    )


def _layers(parts: Sequence[Running], gaps: Sequence[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Keys and values of all rows, layer by layer.  # (rows, heads, tokens, width), both"""
    for layers in zip(*(part.cache.layers for part in parts), strict=True):
        padded = [
            (functional.pad(layer.keys, (0, 0, gap, 0)), functional.pad(layer.values, (0, 0, gap, 0)))
            for layer, gap in zip(layers, gaps, strict=True)
        ]
        yield torch.cat([keys for keys, _ in padded]), torch.cat([values for _, values in padded])
