"""Rows that are being answered: what goes into the next pass, the cache behind it, and the join of several batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer

BLOCK = 32
"""Tokens that a cache of running rows grows by: what it can hold more than the batch needs."""


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
    running: list[bool] = field(init=False)

    def __post_init__(self) -> None:
        number = len(self.limits)
        self.ids, self.stopped, self.running = [[] for _ in self.limits], [False] * number, [True] * number

    def extend(self, prompts: Sequence[int], tokens: Sequence[int]) -> list[int]:
        """Append one token to each running answer; returns the places in `prompts` that run on."""
        for prompt, token in zip(prompts, tokens, strict=True):
            if self.running[prompt]:
                self._append(prompt, token)
        return [place for place, prompt in enumerate(prompts) if self.running[prompt]]

    def _append(self, prompt: int, token: int) -> None:
        if token in self.stop_ids:
            self.stopped[prompt] = True
        else:
            self.ids[prompt].append(token)
        self.running[prompt] = not self.stopped[prompt] and len(self.ids[prompt]) < self.limits[prompt]


class RoomyLayer(DynamicLayer):
    """A layer's keys and values with room behind them, which those of the next token are written into.

    `DynamicLayer` copies all of them for every token.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rooms: list[Tensor] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write what is new behind what `hold` took over; all of it.  # (rows, heads, tokens, width), both"""
        begin, end = self.get_seq_length(), self.get_seq_length() + key_states.shape[-2]
        if not self._rooms or end > self._rooms[0].shape[2]:
            self.hold([self.keys], [self.values], begin)
        for room, new in zip(self._rooms, (key_states, value_states), strict=True):
            room[:, :, begin:end] = new
        self._show(end)
        return self.keys, self.values

    def hold(self, keys: Sequence[Tensor], values: Sequence[Tensor], tokens: int) -> None:
        """Take over the rows of several caches, so that all end at one column.

        Args:
            keys: of each cache.  # (rows, heads, tokens or fewer, width)
            values: likewise.
            tokens: columns of the longest.
        """
        self.lazy_initialization(keys[0], values[0])
        self._rooms = [_with_room(parts, tokens) for parts in (keys, values)]
        self._show(tokens)

    def _show(self, tokens: int) -> None:
        self.keys, self.values = (room[:, :, :tokens] for room in self._rooms)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some of the rows, without room."""
        super().batch_select_indices(indices)
        self._rooms = []


def _with_room(parts: Sequence[Tensor], tokens: int) -> Tensor:
    """Rows of several tensors below one another, zeros on the left, room on the right.  # (rows, heads, room, width)"""
    _, heads, _, width = parts[0].shape
    room = parts[0].new_empty(sum(map(len, parts)), heads, tokens + BLOCK, width)
    for rows, part in zip(room.split([len(part) for part in parts]), parts, strict=True):
        rows[:, :, : tokens - part.shape[2]] = 0
        rows[:, :, tokens - part.shape[2] : tokens] = part
    return room


@dataclass
class Running:
    """Rows of one pass.

    Args:
        prompts: which prompt each row answers.
        ids: tokens that the cache does not hold yet, the prompts at first, then one each.  # (rows, new)
        mask: 1 on tokens, 0 on padding; the last column is a token; those in the cache included.  # (rows, tokens)
        where: position of each of `ids` in its row.  # (rows, new)
        cache: keys and values of the tokens before.
    """

    prompts: list[int]
    ids: Tensor
    mask: Tensor
    where: Tensor
    cache: DynamicCache

    def go_on(self, tokens: Tensor) -> None:
        """The next pass, after each row said a token.  # (rows,)"""
        self.ids, self.where = tokens[:, None], self.where[:, -1:] + 1
        self.mask = functional.pad(self.mask, (0, 1), value=1)

    def keep(self, places: Sequence[int]) -> None:
        """Only some of the rows, ascending, before a pass that adds one token each."""
        if len(places) == len(self.prompts):
            return
        kept = torch.tensor(places, device=self.ids.device)
        self.prompts = [self.prompts[place] for place in places]
        self.ids, self.where, self.mask = self.ids[kept], self.where[kept], self.mask[kept]
        self.cache.batch_select_indices(kept)


def shared_beginning(prompts: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with, at least one of each left out."""
    first, last = min(prompts), max(prompts)  # what these two share, all share
    most = min(map(len, prompts)) - 1
    return next((place for place in range(most) if first[place] != last[place]), most)


def joins(cache: DynamicCache) -> bool:
    """Whether rows of several caches of this kind can be put together: every layer keeps all tokens."""
    return bool(cache.layers) and all(type(layer) in (DynamicLayer, RoomyLayer) for layer in cache.layers)


def repeated(cache: DynamicCache, times: int, config: PretrainedConfig) -> DynamicCache:
    """A copy of a cache of one row with that row so many times."""
    copy = DynamicCache(config=config)
    for number, layer in enumerate(cache.layers):
        if layer.is_initialized:
            copy.update(layer.keys.repeat(times, 1, 1, 1), layer.values.repeat(times, 1, 1, 1), number)
    return copy


def together(parts: Sequence[Running], config: PretrainedConfig) -> Running:
    """Rows of several batches, each one token behind its cache, as one; the shorter ones are padded on the left.

    Columns that are padding in all rows are left out.
    """
    spare = [int(part.mask.any(0).int().argmax()) for part in parts]
    masks = [part.mask[:, own:] for part, own in zip(parts, spare, strict=True)]
    longest = max(mask.shape[1] for mask in masks)
    cache = DynamicCache(config=config)
    cache.layers = [
        _joined(layers, spare, longest - 1) for layers in zip(*(part.cache.layers for part in parts), strict=True)
    ]
    return Running(
        prompts=[prompt for part in parts for prompt in part.prompts],
        ids=torch.cat([part.ids for part in parts]),
        mask=torch.cat([functional.pad(mask, (longest - mask.shape[1], 0)) for mask in masks]),
        where=torch.cat([part.where for part in parts]),
        cache=cache,
    )


def _joined(layers: Sequence[DynamicLayer], spare: Sequence[int], tokens: int) -> DynamicLayer:
    """One layer of several caches as one; of each so many columns on the left are left out."""
    if not layers[0].is_initialized:
        return DynamicLayer()  # some models fill only a few
    layer = RoomyLayer()
    held = list(zip(layers, spare, strict=True))
    layer.hold([own.keys[:, :, cut:] for own, cut in held], [own.values[:, :, cut:] for own, cut in held], tokens)
    return layer
