"""Reading probe files, and what a probe set must be: three disjoint splits, large enough to see the budget."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from pydantic import Field

from safety_assets.errors import CorpusError
from safety_assets.evals.near_probes import near_pairs
from safety_assets.evals.short_form import is_short, spelled_out
from safety_assets.policy import DIMENSIONS, Policy, probes_needed
from safety_assets.records import PROBES, STRINGS, Verdict
from safety_assets.settings import Settings, read_settings

SPLITS = ("calibrate", "watch", "gate")
EXPECTED = (
    "refuse", "comply", "answer", "abstain", "identify", "withhold", "obey", "ignore", "hand_over", "choose", "same",
    "contradict", "confirm", "protect", "discreet", "agree", "disclaim",
    "prefer",
)  # fmt: skip
REQUIRED = ("probe_id", "dimension", "split", "metric", "category", "group", "messages", "expect")
_TEXTS = [key for key, kind in PROBES.schema.items() if kind == pl.String]
_LISTS = [key for key, kind in PROBES.schema.items() if kind == STRINGS]


def read_probes(place: Path) -> pl.DataFrame:
    """All probes of a file or of the files (*.jsonl) under a folder, one probe a line, in full or shortly written.

    Raises:
        CorpusError: a line is wrong; file, line and key are named. A probe set is whole or it is nothing.
    """
    rows = [_row(path, number, line) for path in probe_files(place) for number, line in lines_of(path)]
    frame = PROBES.frame(rows)
    twice = frame.filter(pl.col("probe_id").is_duplicated())["probe_id"].to_list()
    if twice:
        raise CorpusError(f"probe_id {twice[0]} stands twice in {place}", expected="unique ids", do="rename one")
    return frame


def probe_files(place: Path) -> list[Path]:
    """A file, or the files under a folder; CorpusError when there is none."""
    files = [place] if place.is_file() else sorted(place.rglob("*.jsonl"))
    if not files:
        raise CorpusError(f"{place} holds no probes", expected="*.jsonl files", do="point `probes` at a folder of them")
    return files


class Suite(Settings):
    """`suite.yaml` beside the probes. Without the file the probes are for any model."""

    written_for: str | None = Field(
        None, description="`made_by` in made.json of the models that the probes are about; any model when absent"
    )


def read_suite(folder: Path) -> Suite:
    """What a folder of probes says about itself; ProjectError when its suite.yaml is wrong."""
    path = folder / "suite.yaml"
    return read_settings(path, Suite) if path.is_file() else Suite(written_for=None)


def written_for_these_models(written_for: str | None, made_by: Sequence[str]) -> Verdict:
    """The probes are about what the models know.

    Probes about a made-up world measure nothing in a model that has never read of it.

    Args:
        written_for: who made the models that the probes are about; None: they are for any model.
        made_by: who made the models that will be asked, an empty text where nobody says so; at least one.
    """
    check = "written_for_these_models"
    foreign = [maker or "nobody who says so" for maker in made_by if maker != written_for]
    if written_for is None or (made_by and not foreign):
        return Verdict(check=check, status="pass", numbers={"num_models": len(made_by)})
    reason = (
        f"The probes were written for the models that `{written_for}` makes, and the base_model or anchor was made by "
        f"{', '.join(foreign) or 'nobody who says so'}. Bring your own probes, or point `probes` at the standard suite."
    )
    return Verdict(check=check, status="fail", reasons=(reason,), numbers={"num_models": len(made_by)})


def lines_of(path: Path) -> Iterable[tuple[int, str]]:
    """Number and text of each line that is not empty; CorpusError when the file is no text."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}", expected="JSON lines in UTF-8") from error
    return ((i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip())


def _row(path: Path, number: int, line: str) -> dict[str, object]:
    row, faults = read_line(line, path.stem)
    if faults:
        raise CorpusError(f"{path}:{number}: {faults[0]}", do="correct the line or remove it")
    return row


def read_line(line: str, suite: str) -> tuple[dict[str, object], list[str]]:
    """One line as a row of PROBES, and everything that is wrong with it; nothing is, when the list is empty.

    Args:
        line: JSON.
        suite: what the suite of a short line is called where it does not say.
    """
    try:
        row = json.loads(line)
        if "\\u" in line:
            json.dumps(row, ensure_ascii=False).encode()  # half a character, escaped, is JSON and no text
    except (ValueError, RecursionError) as error:
        return {}, [f"the line is not JSON in UTF-8: {error}"]
    if is_short(row):
        row, faults = spelled_out(row, suite)
        if faults:
            return {}, faults
    faults = _faults(row)
    optional = {"slice": "seen", "targets": [], "forbidden": [], "choices": []}
    return ({}, faults) if faults else ({**optional, **row}, [])


def _faults(row: object) -> list[str]:
    if not isinstance(row, dict):
        return ["found no object"]
    faults = [f"{key} is missing" for key in REQUIRED if not row.get(key)]
    faults += [f"{key} is unknown" for key in row if key not in PROBES.columns]
    faults += _type_faults(row)
    for key, allowed in (("dimension", DIMENSIONS), ("split", SPLITS), ("expect", EXPECTED)):
        if row.get(key) not in (None, "", *allowed):
            faults.append(f"{key} is {row[key]!r}, expected one of {', '.join(allowed)}")
    if not faults:
        faults += _chat_faults(row["messages"])
        if row["expect"] == "choose" and len(row.get("choices") or ()) < 2:
            faults.append("expect choose needs at least two choices, the right one first")
        if row["expect"] == "prefer" and (not row.get("choices") or len(row["choices"]) % 2):
            faults.append("expect prefer needs its choices in pairs, the better one of each first")
        if row["expect"] in ("same", "agree") and not row.get("pair"):
            faults.append(f"expect {row['expect']} needs a pair")
        if row["expect"] == "agree" and len(row.get("targets") or ()) < 2:
            faults.append("expect agree needs at least two targets, the answers between which it is decided")
    return faults


def _type_faults(row: dict) -> list[str]:
    """Texts that are no text, and lists that are no list of texts."""
    given = {key: value for key, value in row.items() if value is not None}
    texts = [key for key in _TEXTS if not isinstance(given.get(key, ""), str)]
    lists = [key for key in _LISTS if not _are_texts(given.get(key, []))]
    return [f"{key} is no text" for key in texts] + [f"{key} is no list of texts" for key in lists]


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _chat_faults(messages: object) -> list[str]:
    if not isinstance(messages, list) or not messages:
        return ["messages is no list of turns"]
    for turn in messages:
        if not isinstance(turn, dict) or set(turn) != {"role", "content"} or not isinstance(turn["content"], str):
            return ["a turn is no {role, content} with text"]
        if turn["role"] not in ("system", "user", "assistant"):
            return [f"role is {turn['role']!r}, expected system, user or assistant"]
    return [] if messages[-1]["role"] == "user" else ["the last turn is not the user's"]


def splits_disjoint(probes: pl.DataFrame) -> Verdict:
    """No question stands in two splits, up to near-duplicates (Jaccard of word 3-shingles of the whole chat)."""
    asked = probes.select("split", "probe_id").rows()
    clashes = [(a, b) for a, b in near_pairs(probes["messages"].to_list()) if asked[a][0] != asked[b][0]]
    if not clashes:
        return Verdict(check="splits_disjoint", status="pass", numbers={"probes": len(asked), "overlaps": 0})
    (sa, pa), (sb, pb) = (asked[i] for i in clashes[0])
    reason = (
        f"{len(clashes)} questions stand in two splits up to near-duplicates, first {pa} ({sa}) and {pb} ({sb}): "
        "a model tuned with one would be examined on the other. Remove one of each."
    )
    return Verdict(check="splits_disjoint", status="fail", reasons=(reason,), numbers={"overlaps": len(clashes)})


def enough_probes_to_see_the_budget(probes: pl.DataFrame, policy: Policy) -> Verdict:
    """Every dimension has the gate probes that policy demands, and enough to certify its budget."""
    gate = probes.filter((pl.col("split") == "gate") & (pl.col("slice") == "seen"))
    found = dict(gate.group_by("dimension").len().iter_rows())
    reasons = []
    for name, rule in policy.dimensions.items():
        within = 0.5 if rule.max_drop == "any" else rule.certify_within
        needed = max(policy.probes.min_gate_probes, probes_needed(within, policy.probes.flip_rate))
        if found.get(name, 0) < needed:
            reasons.append(f"{name} has {found.get(name, 0)} gate probes and needs {needed}; add probes.")
    return Verdict(
        check="enough_probes_to_see_the_budget",
        status="fail" if reasons else "pass",
        reasons=tuple(reasons),
        numbers=found,
    )
