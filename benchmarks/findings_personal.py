"""Personal data: recall and precision per kind, on planted values and on published sentences.

`planted` is made here: 400 values of each kind in short carriers, and 4,000 look-alikes (dates, sums, amounts, ISBNs,
hashes, code, numbers whose checksum fails). It tells whether the rules do what they say, not how the world writes.

`published` are the sentences of presidio_research in SAFETY_ASSETS_REAL_DATA (default ../shared/data), which nobody
here wrote. Every JSON file there counts, so larger sets of microsoft/presidio-research may be laid beside the small
one: tests/data/generated_large.json and data/synth_dataset_v2.json. The rules were written with the small one and with
the even rows of the large one in sight. Files of 1,000 rows and more are shown in two halves.

A value is found when one finding of its kind covers all of it; a finding is right when it meets a value of its kind.
"""

import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.personal_rows import CARRIERS, PLANTED, look_alike
from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.personal.find import personal_data
from safety_assets.corpus.personal.spans import SEVERITIES

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
PUBLISHED = {
    "PHONE_NUMBER": "phone", "CREDIT_CARD": "payment_card", "US_SSN": "us_ssn", "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email", "IP_ADDRESS": "ip_address",
}  # fmt: skip
PER_KIND, LOOK_ALIKES = 400, 4000
SPLIT = 1000  # rows from which on a file is shown in two halves


@dataclass(frozen=True)
class Marked:
    """A text and the values in it.

    Args:
        text: the text.
        values: start, end and kind of each.
    """

    text: str
    values: tuple[tuple[int, int, str], ...]


def section() -> tuple[list[dict], dict]:
    """Rows of the table and figures, per set and kind."""
    sets = {"planted": planted(0)}
    for path in _files():
        marked = published(path)
        sets |= {path.stem: marked} if len(marked) < SPLIT else _halves(path.stem, marked)
    figures = {name: measure(marked) for name, marked in sets.items()}
    rows = [{"set": name, "kind": kind, **found} for name, kinds in figures.items() for kind, found in kinds.items()]
    return rows, figures


def planted(seed: int) -> list[Marked]:
    """Made-up values in carriers, and look-alikes in the same carriers."""
    draw = random.Random(seed)
    marked = []
    for kind, make in PLANTED.items():
        for _ in range(PER_KIND):
            before, after = draw.choice(CARRIERS).split("{}")
            lead, value = make(draw)
            start = len(before + lead)
            marked.append(Marked(before + lead + value + after, ((start, start + len(value), kind),)))
    return marked + [Marked(draw.choice(CARRIERS).format(look_alike(draw)), ()) for _ in range(LOOK_ALIKES)]


def published(path: Path) -> list[Marked]:
    """Sentences of a file of presidio_research with the spans that have a kind here."""
    return [
        Marked(row["full_text"], tuple(_spans(row["spans"])))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]  # fmt: skip


def _halves(name: str, marked: list[Marked]) -> dict[str, list[Marked]]:
    return {f"{name} even": marked[::2], f"{name} odd": marked[1::2]}


def _spans(spans: Sequence[dict]) -> Iterator[tuple[int, int, str]]:
    for span in spans:
        if span["entity_type"] in PUBLISHED:
            yield span["start_position"], span["end_position"], PUBLISHED[span["entity_type"]]


def measure(marked: Sequence[Marked]) -> dict[str, dict[str, float]]:
    """Per kind that stands there or was found: recall and precision (0..1), and of how many."""
    turns = TURNS.frame(
        [{"row": n, "turn": 0, "role": "user", "text": m.text, "question": ""} for n, m in enumerate(marked)]
    )
    found = personal_data()(turns).select("row", "start", "end", "finding").rows()
    places: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for row, *place in found:
        places[row].append(tuple(place))
    values = Counter(kind for m in marked for *_, kind in m.values)
    reported = Counter(kind for *_, kind in found)
    caught = Counter(v[2] for n, m in enumerate(marked) for v in m.values if any(_covers(p, v) for p in places[n]))
    right = Counter(p[2] for n, m in enumerate(marked) for p in places[n] if any(_meets(p, v) for v in m.values))
    return {
        kind: {
            "values": values[kind],
            "recall": _share(caught[kind], values[kind]),
            "reported": reported[kind],
            "precision": _share(right[kind], reported[kind]),
        }
        for kind in SEVERITIES
        if values[kind] or reported[kind]
    }


def _covers(place: tuple[int, int, str], value: tuple[int, int, str]) -> bool:
    return place[2] == value[2] and place[0] <= value[0] and value[1] <= place[1]


def _meets(place: tuple[int, int, str], value: tuple[int, int, str]) -> bool:
    return place[2] == value[2] and place[0] < value[1] and value[0] < place[1]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _files() -> list[Path]:
    folder = DATA / "presidio_research"
    if not folder.is_dir():
        raise SystemExit(f"{folder} is missing; set SAFETY_ASSETS_REAL_DATA to the folder of the published data")
    return sorted(folder.glob("*.json"))
