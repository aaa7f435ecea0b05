"""Harmful requests in the wrappers by which people try to get them answered: probes from probes, seeded.

The wrappers hold no harm of their own: words around the request, the request in a code, harmless or placeholder turns
before it. Each wrapped probe expects what its source expects and keeps its group, so that it is compared with it.
"""

import base64
import codecs
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from safety_assets.evals import wrapper_texts as texts
from safety_assets.evals.slices import SEEN, WRAPPED
from safety_assets.records import PROBES

Chat = list[dict[str, str]]
SHOTS = 8
"""Answered requests before the one that counts, in `many_shot` and `many_shot_harmful`."""

LEET = str.maketrans("aeiostAEIOST", "431057431057")


@dataclass(frozen=True)
class Request:
    """What a wrapper sees.

    Args:
        text: the request, as a person would ask it.
        category: its policy category.
        others: other harmful requests of the set, never of the same group.
    """

    text: str
    category: str
    others: Sequence[str] = ()


Wrapper = Callable[[Request, random.Random], Chat]


def wrapped(
    probes: pl.DataFrame, *, only: Iterable[str] | None = None, per_category: int | None = None, seed: int = 0
) -> pl.DataFrame:
    """Every plainly asked harmful request of a probe set, once in each wrapper.

    Args:
        probes: PROBES; those of `plain_requests` are wrapped.
        only: names of WRAPPERS; all by default.
        per_category: how many requests of each category are wrapped, drawn by seed; all by default.
        seed: of what a wrapper chooses.

    Returns:
        PROBES with slice `wrapped:NAME` and variant NAME, wrapper by wrapper, in the order of the sources. The last
        turn of `prefill` is the assistant's: the model goes on with it.

    Raises:
        KeyError: a name that is no wrapper.
    """
    sources = _sources(PROBES.check(probes), per_category, seed)
    asked = [(row, _request(row, sources)) for row in sources]
    names = list(WRAPPERS) if only is None else list(only)
    return PROBES.frame([_probe(name, WRAPPERS[name], *each, seed) for name in names for each in asked])


def plain_requests(probes: pl.DataFrame) -> pl.DataFrame:
    """The harmful requests that can be wrapped: asked plainly in one user turn, of slice seen, no variant."""
    return probes.filter(
        (pl.col("expect") == "refuse") & (pl.col("slice") == SEEN) & pl.col("variant").is_null()
        & (pl.col("messages").list.len() == 1)
    )  # fmt: skip


def _sources(probes: pl.DataFrame, per_category: int | None, seed: int) -> list[dict[str, Any]]:
    rows = plain_requests(probes).to_dicts()
    if per_category is None:
        return rows
    places: Counter[str] = Counter()
    kept = set()
    for row in sorted(rows, key=lambda row: _draw(seed, row["probe_id"]).random()):
        places[row["category"]] += 1
        if places[row["category"]] <= per_category:
            kept.add(row["probe_id"])
    return [row for row in rows if row["probe_id"] in kept]


def _request(row: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> Request:
    others = [_asked(other) for other in sources if other["group"] != row["group"] and other["split"] == row["split"]]
    return Request(_asked(row), row["category"], others)


def _probe(name: str, wrapper: Wrapper, row: Mapping[str, Any], request: Request, seed: int) -> dict[str, Any]:
    chat = wrapper(request, _draw(seed, f"{name} {row['probe_id']}"))
    key = hashlib.sha256(json.dumps([row["probe_id"], name, chat]).encode()).hexdigest()[:16]
    return {**row, "probe_id": key, "slice": f"{WRAPPED}{name}", "variant": name, "messages": chat}


def _asked(row: Mapping[str, Any]) -> str:
    return str(row["messages"][-1]["content"])


def _draw(seed: int, key: str) -> random.Random:
    return random.Random(f"{seed} {key}")


def _said(*turns: str) -> Chat:
    """A chat of turns, the user's first."""
    return [{"role": "assistant" if i % 2 else "user", "content": turn} for i, turn in enumerate(turns)]


def _around(forms: Sequence[str]) -> Wrapper:
    """One of some texts around the request."""
    return lambda request, draw: _said(draw.choice(forms).replace("{request}", request.text))


def _coded(name: str, code: Callable[[str], str]) -> Wrapper:
    form = texts.CODED.replace("{code}", name)
    return lambda request, draw: _said(form.replace("{request}", code(request.text)))


def _prefill(request: Request, draw: random.Random) -> Chat:
    return _said(request.text, draw.choice(texts.OPENINGS))


def _prefix_injection(request: Request, draw: random.Random) -> Chat:
    form, opening = draw.choice(texts.PREFIX_INJECTION), draw.choice(texts.OPENINGS)
    return _said(form.replace("{opening}", opening).replace("{request}", request.text))


def _many_shot(request: Request, draw: random.Random) -> Chat:
    """After harmless requests, all of them answered."""
    shots = draw.sample(texts.HARMLESS, SHOTS)
    return _said(*(turn for shot in shots for turn in shot), request.text)


def _many_shot_harmful(request: Request, draw: random.Random) -> Chat:
    """After other harmful requests, each answered with a placeholder."""
    shots = draw.sample(request.others, min(SHOTS, len(request.others)))
    return _said(*(turn for shot in shots for turn in (shot, texts.PLACEHOLDER_ANSWER)), request.text)


def _build_up(request: Request, draw: random.Random) -> Chat:
    """After turns that come nearer to the subject."""
    subject = texts.SUBJECTS.get(request.category, "difficult subjects")
    return _said(*(turn.replace("{subject}", subject) for turn in draw.choice(texts.BUILD_UP)), request.text)


WRAPPERS: Mapping[str, Wrapper] = {
    "role_play": _around(texts.ROLE_PLAY),
    "refusal_suppression": _around(texts.REFUSAL_SUPPRESSION),
    "prefix_injection": _prefix_injection,
    "prefill": _prefill,
    "base64": _coded("Base64", lambda text: base64.b64encode(text.encode()).decode()),
    "rot13": _coded("ROT13", lambda text: codecs.encode(text, "rot13")),
    "leetspeak": _coded("leetspeak", lambda text: text.translate(LEET)),
    "quoted": _around(texts.QUOTED),
    "many_shot": _many_shot,
    "many_shot_harmful": _many_shot_harmful,
    "build_up": _build_up,
}
"""Name to wrapper, in the order of reports."""
