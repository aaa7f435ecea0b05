"""How often a request is told to ask for harm, and how often rows of corpora are flagged as harmful and answered.

    python -m benchmarks.harmful_requests

`requests`: share of published requests told to ask for harm (`Topics.harmful`), by suite, and what the suite expects;
`nearest` is the share whose category the pairs alone teach (`Topics.category`), which is all that was asked before the
model of requests was. `rows`: share of the rows of a corpus with the finding `harmful_answered`, the same two ways;
all of them are benign, so each is a false alarm: the bundled corpus, Alpaca, and Dolly's rows on safety. `pairs` says
what the categories were learned from: nothing (`audit` without a project), the bundled pairs, the pool of the package.
SAFETY_ASSETS_REAL_DATA names the data (default ../shared/data). The last line is JSON.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks.findings import table
from benchmarks.findings_poison import ALPACA, DOLLY, published_chats
from safety_assets import pools
from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.harmful import Categories, harmful_answered
from safety_assets.corpus.ingest import write_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.topics import Topics
from safety_assets.datafiles import DataFiles
from safety_assets.frames import open_shards
from safety_assets.records import PAIRS, ROWS
from safety_assets.refusals import is_refusal

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", ROOT / "../shared/data"))
BUNDLED = ROOT / "data" / "corpus" / "support.jsonl"


def main() -> None:
    """Measure, print tables, print JSON."""
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is missing; set SAFETY_ASSETS_REAL_DATA to the folder of the published data")
    known = {
        "none": Topics(PAIRS.empty()),
        "bundled": Topics(read_pairs([DataFiles(path=ROOT / "data" / "refusals")]).rows),
        "pool": Topics(read_pairs([DataFiles(path=pools.STANDARD)]).rows),
    }
    asked = [row for name, topics in known.items() for row in _requests(name, topics)]
    corpora = {"bundled": _bundled(), "alpaca": _published("alpaca", ALPACA), "dolly": _published("dolly", DOLLY)}
    rows = [row for name, topics in known.items() for row in _rows(name, topics, corpora)]
    for found in (asked, rows):
        print("\n".join(table(found)))
    print(json.dumps({"requests": asked, "rows": rows}))


def _requests(name: str, topics: Topics) -> Iterator[dict]:
    with (DATA / "prompts.jsonl").open(encoding="utf-8") as lines:
        prompts = pl.DataFrame(list(map(json.loads, lines)), infer_schema_length=None)
    for (suite, expected), part in prompts.group_by("suite", "expected", maintain_order=True):
        texts = part["prompt"].to_list()
        yield {"pairs": name, "suite": suite, "expected": expected, "requests": len(texts),
               "asks for harm": _share(topics.harmful(texts)), "nearest": _share(_nearest(topics)(texts))}  # fmt: skip


def _rows(name: str, topics: Topics, corpora: dict[str, pl.DataFrame]) -> Iterator[dict]:
    for corpus, rows in corpora.items():
        turns = turns_of(rows)
        flagged = {
            way: round(harmful_answered(categories, is_refusal)(turns)["row"].n_unique() / rows.height, 4)
            for way, categories in (("flagged", topics.harmful), ("nearest", _nearest(topics)))
        }
        yield {"pairs": name, "corpus": corpus, "rows": rows.height, **flagged}


def _nearest(topics: Topics) -> Categories:
    return lambda texts: [topics.category(text) for text in texts]


def _bundled() -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as place:
        write_rows([DataFiles(path=BUNDLED)], Path(place))
        return open_shards(Path(place) / "rows", ROWS).whole()


def _published(folder: str, files: tuple[str, ...]) -> pl.DataFrame:
    chats = published_chats(folder, files)
    rows = [{"row_id": str(i), "messages": chat, "source": "", "line": i, "group": ""} for i, chat in enumerate(chats)]
    return ROWS.frame(rows)


def _share(found: list[str | None]) -> float:
    return round(sum(one is not None for one in found) / len(found), 4)


if __name__ == "__main__":
    main()
