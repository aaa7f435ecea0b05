"""The standard pool from its source: `source/<name>.yaml` -> `standard/<name>.jsonl`, in the schema of PAIRS.

    python -m safety_assets.pools.build

People write the source; nobody edits the JSON lines. The same source gives the same bytes, which a test holds.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from safety_assets.pools import STANDARD
from safety_assets.pools.schema import Pair, Source
from safety_assets.settings import read_settings

SOURCE = Path(__file__).resolve().parent / "source"


def main() -> None:
    """Write all files."""
    STANDARD.mkdir(exist_ok=True)
    for path, text in sorted(build().items()):
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} pairs")


def build() -> dict[Path, str]:
    """Path and text of every file of the pool."""
    return {STANDARD / f"{name}.jsonl": "".join(map(_line, _pairs(source))) for name, source in sources().items()}


def sources() -> dict[str, Source]:
    """Every source by the name of its file."""
    return {file.stem: read_settings(file, Source) for file in sorted(SOURCE.glob("*.yaml"))}


def _pairs(source: Source) -> Iterator[tuple[str, str, Pair]]:
    """Kind, category and pair: refusals by style, look-alikes, anchors by subject, as they stand in the file."""
    category = source.category or ""
    for refusals in source.refusals.values():
        yield from (("refusal", category, pair) for pair in refusals)
    yield from (("lookalike", category, pair) for pair in source.lookalikes)
    for subject, anchors in source.anchors.items():
        yield from (("anchor", subject, pair) for pair in anchors)


def _line(found: tuple[str, str, Pair]) -> str:
    kind, category, pair = found
    roles = ("user", "assistant")
    turns = enumerate([*pair.turns, pair.ask, pair.say])
    messages = [{"role": roles[i % 2], "content": text.strip()} for i, text in turns]
    return json.dumps({"kind": kind, "category": category, "messages": messages}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
