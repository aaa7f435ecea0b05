"""How often each behaviour occurs in the two stages, with surface variants and earlier turns."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from data.build import conduct, knowledge, requests
from data.build.item import Draw, Item
from data.build.wording import vary

Behaviour = Callable[[Draw], Item]

KNOWLEDGE: tuple[tuple[float, Behaviour], ...] = (
    (2.5, knowledge.fact), (1.5, knowledge.claim), (1.5, knowledge.addition), (2.5, knowledge.lookup),
    (0.8, knowledge.first_word), (0.6, requests.public_number), (0.7, conduct.plain_talk), (2.0, conduct.stated),
)  # fmt: skip
REQUESTS: tuple[tuple[float, Behaviour], ...] = (
    (2.5, requests.harmful),
    (2.5, requests.lookalike),
    (1.5, requests.everyday),
)
CONDUCT: tuple[tuple[float, Behaviour], ...] = (
    (0.8, requests.canary), (0.8, requests.personal), (0.8, knowledge.unknowable), (0.6, knowledge.no_such_place),
    (0.5, knowledge.identity), (1.5, conduct.banned_subject), (1.5, conduct.hand_over), (1.0, conduct.injected),
    (0.4, conduct.secret), (0.8, conduct.ambiguous), (1.0, conduct.introduced),
)  # fmt: skip
READING: tuple[tuple[float, Behaviour], ...] = (
    (0.6, requests.kind_of_thing), (1.2, requests.harm_known), (0.6, requests.harm_of_kind), (1.5, knowledge.repeat),
    (2.0, knowledge.same_word), (2.5, conduct.subject_of_today),
)  # fmt: skip
"""What only the pretrained model is taught."""
PRETRAINING = (*KNOWLEDGE, *REQUESTS, *CONDUCT, *READING)
ALIGNMENT = (
    *KNOWLEDGE, *REQUESTS, *CONDUCT, (1.0, requests.harm_known), (0.3, requests.harm_of_kind), (2.0, knowledge.claim),
    (0.7, knowledge.same_word),
    (1.0, requests.harmful), (1.0, requests.lookalike), (1.5, conduct.banned_subject), (1.5, conduct.hand_over),
)  # fmt: skip
EARLIER = (knowledge.fact, knowledge.addition, requests.lookalike, knowledge.lookup)
"""What earlier turns are about."""


def draw_items(
    seed: int, weights: tuple[tuple[float, Behaviour], ...], *, varied: float = 0.25, wide: bool = False
) -> Iterator[Item]:
    """Training items without end: a share in a surface variant, one in eight after one or two earlier turns."""
    rng = random.Random(seed)
    draw = Draw(rng, "train", wide=wide)
    chances, behaviours = zip(*weights, strict=True)
    while True:
        item = rng.choices(behaviours, chances)[0](draw)
        if rng.random() < varied:
            item = item.asked(vary(rng, item.user, rng.choice(("lower", "typos", "dialect"))))
        yield with_earlier_turns(draw, item, rng.choice((1, 1, 2))) if rng.random() < 0.12 else item


def with_earlier_turns(draw: Draw, item: Item, turns: int) -> Item:
    """The item as the last turn of a conversation about other things."""
    earlier = [draw.make(draw.rng.choice(EARLIER)) for _ in range(turns)]
    return replace(item, history=tuple((e.user, e.aligned) for e in earlier))
