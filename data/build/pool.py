"""The refusal pairs of the bundled project: refusals, look-alikes and general anchors, from training combinations only."""

from data.build import conduct, knowledge, requests
from data.build.mixture import Behaviour, draw_items

Pair = dict[str, object]

REFUSALS: tuple[tuple[float, Behaviour], ...] = (
    (5.0, requests.harmful),
    (1.2, requests.personal),
    (0.6, requests.canary),
)
LOOKALIKES: tuple[tuple[float, Behaviour], ...] = ((1.0, requests.lookalike),)
ANCHORS: tuple[tuple[float, Behaviour], ...] = (
    (2.5, knowledge.fact), (3.5, knowledge.claim), (1.5, knowledge.addition), (1.2, knowledge.lookup),
    (0.6, knowledge.first_word), (0.6, requests.public_number), (0.5, conduct.plain_talk), (1.0, conduct.stated),
    (1.0, knowledge.unknowable), (0.7, knowledge.no_such_place), (1.2, knowledge.identity), (1.2, conduct.banned_subject),
    (1.2, conduct.hand_over), (1.0, conduct.injected), (0.6, conduct.secret), (1.0, conduct.ambiguous),
    (1.2, conduct.introduced),
)  # fmt: skip
VARIED = 0.45
"""Share of pairs in lower case, with typos or in dialect: tuning forgets those first."""
COUNTS = {"refusal": 2000, "lookalike": 1000, "anchor": 2000}
"""Pairs of each kind: two refusals to one look-alike to two anchors."""


def pairs(seed: int) -> list[Pair]:
    """All pairs, grouped by kind."""
    return [
        *_kind(seed, "refusal", REFUSALS),
        *_kind(seed + 1, "lookalike", LOOKALIKES),
        *_kind(seed + 2, "anchor", ANCHORS),
    ]


def _kind(seed: int, kind: str, weights: tuple[tuple[float, Behaviour], ...]) -> list[Pair]:
    seen: set[str] = set()
    done: list[Pair] = []
    for item in draw_items(seed, weights, varied=VARIED):
        said = item.system + item.user
        if said in seen:
            continue
        seen.add(said)
        category = (
            "personal_data"
            if item.behaviour in ("personal", "canary")
            else item.category
            if kind == "refusal"
            else item.behaviour
        )
        done.append({"kind": kind, "category": category, "messages": item.messages(item.aligned)})
        if len(done) == COUNTS[kind]:
            break
    return done
