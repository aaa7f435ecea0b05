"""Which files a path means: a file itself, all files of a folder that can be read, the shards of a saved dataset."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safety_assets.datafiles import Columns, DataFiles
from safety_assets.errors import CorpusError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")
READABLE = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_ABOUT_A_DATASET = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")


@dataclass(frozen=True)
class SourceFile:
    """One file to read.

    Args:
        name: what tables call it.
        columns: what its columns are called, when the project says so.
    """

    name: str
    path: Path
    columns: Columns | None


def source_files(given: Sequence[DataFiles]) -> list[SourceFile]:
    """Each file that is meant, every file once, folders in sorted order.

    Raises:
        CorpusError: a path does not exist, a folder holds nothing to read or a packed file, a shard is missing.
    """
    found: dict[Path, SourceFile] = {}
    for part in given:
        for name, file in _files_of(part.path):
            found.setdefault(_place(file), SourceFile(name, file, part.columns))
    names = Counter(source.name for source in found.values())
    return [
        source if names[source.name] == 1 else SourceFile(str(path), source.path, source.columns)
        for path, source in found.items()
    ]


def _place(file: Path) -> Path:
    """The file behind every link."""
    try:
        str(file).encode()
        return file.resolve()
    except UnicodeEncodeError as error:
        raise CorpusError(f"{file!a} has a name that is not UTF-8", do="rename the file") from error
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise CorpusError(f"{file} leads nowhere: {error}", do="correct the link") from error


def _files_of(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise CorpusError(f"{path} does not exist", expected=f"a file ({READABLE}) or a folder", do="correct the path")
    files = [(file.relative_to(path).as_posix(), file) for file in _files_in(path)]
    if not files:
        raise CorpusError(f"{path} holds no file that can be read", expected=READABLE, do="put the rows there")
    return files


def _files_in(folder: Path) -> Iterator[Path]:
    """Files of a folder and those below it. Names that begin with a dot are passed over."""
    inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    names = {p.name for p in inside}
    if {"state.json", "dataset_info.json"} <= names:
        yield from _shards(folder)
        return
    if "dataset_dict.json" in names:
        _check_splits(folder)
    for path in inside:
        if path.is_dir():
            yield from _files_in(path)
        elif _is_packed(path):
            raise CorpusError(f"{path} is packed", expected=READABLE, do="unpack it, or move it elsewhere")
        elif path.suffix.lower() in SUFFIXES and path.name not in _ABOUT_A_DATASET:
            yield path


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() in _PACKED and Path(path.stem).suffix.lower() in SUFFIXES


def _shards(folder: Path) -> list[Path]:
    """The Arrow files of a saved dataset, as its state names them: others beside them are caches."""
    state = _metadata(folder / "state.json")
    if state.get("_indices_data_files"):
        found = f"{folder} selects its rows through an index"
        raise CorpusError(found, expected="a dataset saved whole", do="save it again after flatten_indices()")
    try:
        files = [folder / entry["filename"] for entry in state["_data_files"]]
    except (KeyError, TypeError) as error:
        found = f"{folder / 'state.json'} names no data files"
        raise CorpusError(found, expected="what save_to_disk writes", do="save the dataset again") from error
    for file in files:
        if not file.is_file():
            found = f"{file} is missing, and state.json names it"
            raise CorpusError(found, expected="every file of the dataset", do="copy the dataset again, whole")
    return files


def _check_splits(folder: Path) -> None:
    for split in _metadata(folder / "dataset_dict.json").get("splits", []):
        if not (folder / str(split) / "state.json").is_file():
            found = f"{folder} lacks its split {split}, which dataset_dict.json names"
            raise CorpusError(found, expected="every split", do="copy the dataset again, or name one split's folder")


def _metadata(file: Path) -> dict:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(
            f"{file} cannot be read: {error}", expected="what save_to_disk writes", do="save the dataset again"
        ) from error
    if not isinstance(value, dict):
        raise CorpusError(f"{file} holds no object", expected="what save_to_disk writes", do="save the dataset again")
    return value
