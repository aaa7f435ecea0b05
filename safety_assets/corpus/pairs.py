"""The dose: refusal pairs by policy category, look-alike benign pairs and general anchors."""

from pathlib import Path
from typing import Literal, get_args

from safety_assets.corpus.chats import Copies, chat_of, parse_line, text_field
from safety_assets.corpus.ingest import Ingested, Record, read_each
from safety_assets.errors import CorpusError
from safety_assets.records import PAIRS, QUARANTINE

Kind = Literal["refusal", "lookalike", "anchor"]


def read_pairs(path: Path) -> Ingested:
    """Read JSONL pairs: `messages`, `kind` (refusal, lookalike or anchor) and `category`.

    Args:
        path: a file, or a folder of *.jsonl.

    Returns:
        Ingested whose `rows` are PAIRS.

    Raises:
        CorpusError: the path is missing or not a single pair is readable.
    """
    _demand_files(path)
    copies = Copies()

    def pair(source: str, line: int, raw: bytes) -> Record:
        value = parse_line(raw)
        chat = chat_of(value, ends_with="assistant")
        kind, category = text_field(value, "kind"), text_field(value, "category")
        if kind not in get_args(Kind):
            raise CorpusError(f"kind is {kind!r:.40}", expected="refusal, lookalike or anchor", do="correct the kind")
        return {"row_id": copies.name(chat), "messages": chat, "kind": kind, "category": category}

    pairs, quarantine = read_each([path], pair)
    if not pairs:
        first = f"; line {quarantine[0]['line']}: {quarantine[0]['reason']}" if quarantine else ""
        found = f"{path} holds no readable pair{first}"
        raise CorpusError(found, expected="at least one pair with messages, kind and category", do="mend the file")
    return Ingested(PAIRS.frame(pairs), QUARANTINE.frame(quarantine))


def _demand_files(path: Path) -> None:
    """A folder that nobody has put pairs into says how to; a new project begins with one."""
    if path.is_dir() and not any(path.rglob("*.jsonl")):
        raise CorpusError(
            f"{path} holds no refusal pairs",
            expected="*.jsonl with messages, kind and category: refusals, look-alikes and anchors",
            do=f"write some there; {path / 'README.md'}, which `safety-assets init` writes, shows schema and examples",
        )
