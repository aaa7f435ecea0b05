"""The dose: refusal pairs by policy category, look-alike benign pairs and general anchors."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from safety_assets.corpus.chats import Copies, chat_of, text_field
from safety_assets.corpus.ingest import Ingested, Record, read_each
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.records import PAIRS, QUARANTINE, SOURCES

Kind = Literal["refusal", "lookalike", "anchor"]


def read_pairs(files: Sequence[DataFiles]) -> Ingested:
    """Read pairs of any known shape, with `kind` (refusal, lookalike or anchor) and `category` beside it.

    Returns:
        Ingested whose `rows` are PAIRS.

    Raises:
        CorpusError: the path is missing, a file cannot be read as a whole, or not a single pair is readable.
    """
    pair_files(files)
    copies = Copies()

    def pair(record: Mapping[str, object]) -> Record:
        chat = chat_of(record["messages"], ends_with="assistant")
        kind, category = text_field(record, "kind"), text_field(record, "category")
        if kind not in get_args(Kind):
            raise CorpusError(f"kind is {kind!r:.40}", expected="refusal, lookalike or anchor", do="correct the kind")
        return {"row_id": copies.name(chat), "messages": chat, "kind": kind, "category": category}

    read = read_each(files, pair)
    if not read.rows:
        first = f"; line {read.quarantine[0]['line']}: {read.quarantine[0]['reason']}" if read.quarantine else ""
        where = ", ".join(str(part.path) for part in files)
        found = f"{where} holds no readable pair{first}"
        raise CorpusError(found, expected="at least one pair with a chat, kind and category", do="mend the file")
    return Ingested(PAIRS.frame(read.rows), QUARANTINE.frame(read.quarantine), SOURCES.frame(read.sources))


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
