"""The dose: refusal pairs by policy category, look-alike benign pairs and general anchors."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from safety_assets.corpus.chats import chat_id, chat_of, text_field
from safety_assets.corpus.given import Record
from safety_assets.corpus.ingest import Ingested, read_all
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.records import PAIRS

Kind = Literal["refusal", "lookalike", "anchor"]


def read_pairs(files: Sequence[DataFiles]) -> Ingested:
    """Read pairs of any known shape, with `kind` (refusal, lookalike or anchor) and `category` beside it.

    Returns:
        Ingested whose `rows` are PAIRS.

    Raises:
        CorpusError: the path is missing, a file cannot be read as a whole, or not a single pair is readable.
    """
    pair_files(files)
    read = read_all(files, _pair, PAIRS)
    if read.rows.is_empty():
        aside = read.quarantine.head(1).to_dicts()
        first = f"; line {aside[0]['line']}: {aside[0]['reason']}" if aside else ""
        found = f"{', '.join(str(part.path) for part in files)} holds no readable pair{first}"
        raise CorpusError(found, expected="at least one pair with a chat, kind and category", do="mend the file")
    return read


def _pair(record: Mapping[str, object]) -> Record:
    chat = chat_of(record["messages"], ends_with="assistant")
    kind, category = text_field(record, "kind"), text_field(record, "category")
    if kind not in get_args(Kind):
        raise CorpusError(f"kind is {kind!r:.40}", expected="refusal, lookalike or anchor", do="correct the kind")
    return {"row_id": chat_id(chat), "messages": chat, "kind": kind, "category": category}


def pair_files(files: Sequence[DataFiles]) -> Sequence[DataFiles]:
    """The files, if there are some: a folder that nobody has put pairs into says how to (a new project has one)."""
    for path in (part.path for part in files):
        if path.is_dir() and all(p.suffix == ".md" for p in path.rglob("*") if p.is_file()):
            raise CorpusError(
                f"{path} holds no refusal pairs",
                expected="files of chats with kind and category: refusals, look-alikes and anchors",
                do=f"write some there, as {path / 'README.md'} shows, or take those of the package: "
                "refusal_pairs: standard",
            )
    return files
