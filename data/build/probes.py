"""The tiny probes: held-out wordings and combinations of every behaviour, in three disjoint splits.

Groups (the unit of the bootstrap) are what an item asks about, so that the wordings of one request count as one cluster.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace

from data.build import conduct, knowledge, requests, words
from data.build.item import Draw, Item, part_of_unseen
from data.build.mixture import Behaviour, with_earlier_turns
from data.build.wording import VARIANTS, vary

SPLITS = ("calibrate", "watch", "gate")
SHARE = {"calibrate": 0.3, "watch": 0.12, "gate": 1.0}
"""Size of each split as a share of the counts below."""
SINGLE: dict[str, tuple[tuple[int, Behaviour], ...]] = {
    "safety": ((580, requests.harmful),),
    "privacy": ((250, requests.canary), (300, requests.personal)),
    "fairness": ((210, conduct.ambiguous), (140, conduct.stated)),
    "reliability": ((300, knowledge.fact), (230, knowledge.confidence)),
    "transparency": ((150, knowledge.unknowable), (60, knowledge.no_such_place), (60, knowledge.identity), (300, knowledge.claim)),
    "accountability": ((160, conduct.banned_subject), (160, conduct.hand_over), (170, conduct.injected), (60, conduct.secret)),
    "user_impact": ((260, requests.lookalike), (90, knowledge.addition), (90, knowledge.lookup), (50, knowledge.first_word),
                    (30, requests.public_number), (40, conduct.plain_talk)),
}  # fmt: skip
UNSEEN: dict[str, tuple[int, Behaviour]] = {
    "safety": (120, requests.harmful_unseen),
    "user_impact": (60, requests.lookalike_unseen),
}
PAIRS = 90
"""Counterfactual pairs in gate: the same request by two people."""
BASES = 135
"""Items in gate that are asked in every surface variant."""
MULTI_TURN = 0.2

Probe = dict[str, object]


def all_probes(seed: int) -> list[Probe]:
    """Every probe of every split."""
    probes: list[Probe] = []
    for split in SPLITS:
        draw = Draw(random.Random(f"{seed} {split}"), split)
        for _, plan in SINGLE.items():
            for count, behaviour in plan:
                probes += _many(draw, behaviour, round(count * SHARE[split]), split)
        for count, behaviour in UNSEEN.values():
            probes += _many(draw, behaviour, round(count * SHARE[split]), split)
        probes += _pairs(draw, round(PAIRS * SHARE[split]), split)
        probes += _variants(draw, round(BASES * SHARE[split]), split)
    return probes


def _unique(draw: Draw, behaviour: Behaviour, split: str) -> Iterator[Item]:
    """Different items. What is never seen in training is dealt out among the splits by its key."""
    seen: set[str] = set()
    for _ in range(60000):
        item = draw.make(behaviour)
        if item.slice == "unseen" and part_of_unseen(item.key) != split:
            continue
        said = "".join(c for c in (item.system + item.user).lower() if c.isalnum())
        if said not in seen:
            seen.add(said)
            yield item


def _many(draw: Draw, behaviour: Behaviour, count: int, split: str) -> list[Probe]:
    done: list[Probe] = []
    for item in _unique(draw, behaviour, split):
        if len(done) == count:
            break
        several = draw.rng.random() < MULTI_TURN and not item.system
        item = with_earlier_turns(draw, item, draw.rng.choice((1, 2))) if several else item
        done.append(probe(item, split))
    return done


def _pairs(draw: Draw, count: int, split: str) -> list[Probe]:
    done: list[Probe] = []
    bases = _unique(draw, conduct.introduced, split)
    for _ in range(count):
        item = next(bases)
        name, town = item.forbidden
        women = name in words.WOMEN
        other = draw.rng.choice(words.MEN if women else words.WOMEN)
        elsewhere = draw.rng.choice(words.TOWNS[4:] if town in words.TOWNS[:4] else words.TOWNS[:4])
        swapped = replace(item, user=item.user.replace(f"I am {name} from {town}.", f"I am {other} from {elsewhere}."))
        both = (name, town, other, elsewhere)
        done += [
            probe(replace(i, forbidden=both), split, pair=item.key + item.user, variant=v)
            for i, v in ((item, name), (swapped, other))
        ]
    return done


def _variants(draw: Draw, count: int, split: str) -> list[Probe]:
    """The same question plainly, in lower case, with typos and in a dialect."""
    kinds = (knowledge.fact, knowledge.addition, requests.lookalike, requests.harmful, knowledge.lookup, conduct.stated)
    sources = [_unique(draw, kind, split) for kind in kinds]
    done: list[Probe] = []
    for i in range(count):
        item = next(sources[i % len(sources)])
        for variant in VARIANTS:
            asked = replace(item.asked(vary(draw.rng, item.user, variant)), dimension="inclusivity", metric=variant)
            done.append(probe(asked, split, pair=item.user, variant=variant))
    return done


def probe(item: Item, split: str, pair: str | None = None, variant: str | None = None) -> Probe:
    """One line of a probe file."""
    chat = item.messages(None)
    key = hashlib.sha256(f"{split} {item.dimension} {item.metric} {chat} {variant}".encode()).hexdigest()[:16]
    return {
        "probe_id": key, "dimension": item.dimension, "split": split, "metric": item.metric, "category": item.category,
        "slice": item.slice, "group": hashlib.sha256(item.key.encode()).hexdigest()[:12],
        "pair": None if pair is None else hashlib.sha256(pair.encode()).hexdigest()[:12], "variant": variant, "messages": chat,
        "expect": item.expect, "targets": list(item.targets), "forbidden": list(item.forbidden), "choices": list(item.choices),
    }  # fmt: skip
