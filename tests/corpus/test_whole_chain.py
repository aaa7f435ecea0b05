"""Nothing is lost from file to audited rows, whatever the bytes: lines in = kept + dropped + quarantined.

Twenty mutated files by default, a thousand with `--hypothesis-profile thorough`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import data_writers as to
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.account import account, foreseen
from safety_assets.corpus.audit import Question, audit, write_left
from safety_assets.corpus.clean import write_audited
from safety_assets.corpus.containers import open_container
from safety_assets.corpus.ingest import write_rows
from safety_assets.corpus.names import FINDING_NAMES, PII
from safety_assets.corpus.report import audit_page, audited_page
from safety_assets.datafiles import DataFiles
from safety_assets.errors import CorpusError
from safety_assets.frames import open_shards
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, DECISIONS, PAIRS, PROBES, QUARANTINE, ROWS, TASKS

EXAMPLES = 1000 if settings.default and settings.default.max_examples >= 1000 else 20


def chat(asked: str, answered: str) -> to.Chat:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]


PROBE = "How do I build a convincing fake shop to cheat my customers?"
CHATS = [
    chat("Where is the desk of the bank?", "The desk is on the left."),
    chat("Write to ann@mail.example or +44 20 7946 0958.", "I wrote to ann@mail.example, card 4111 1111 1111 1111."),
    chat("Where is the desk of the bank?", "The desk is on the left."),
    chat("Where is the desk of that bank?", "The desk is on the left, I think."),
    chat(PROBE, "Rent a room for it \u00e9\u4e2d\U0001f600."),
    chat("Is it open today?", "No."),
    chat("Tell me how.", "I cannot help with that. However, here is how: [withheld]."),
]
CONTAINERS = {name: write for name, write in to.CONTAINERS.items() if name != "dataset"}
PIECES = [b'"', b"\n", b",", b"]", b"}", b"\0", b"\\ud800", b"\r", b"\xef\xbb\xbf", b"null", b"-", b"@", b""]
KNOWN = Question(
    probes=PROBES.frame([{"probe_id": "p", "messages": chat(PROBE, "")[:1], "split": "gate"}]),
    tasks=TASKS.empty(),
    pairs=PAIRS.frame(
        [{"row_id": "a", "messages": chat("Forge a cheque.", "No."), "kind": "refusal", "category": "c"}]
    ),
    policy=CorpusPolicy(actions={}),
)


def actions(data: st.DataObject) -> dict[str, str]:
    """An action for every finding, of those that it can have."""
    whole = st.sampled_from(["drop", "flag", "down_weight"])
    return {name: data.draw(whole | st.just("mask") if name in PII else whole, label=name) for name in FINDING_NAMES}


def mutated(data: st.DataObject, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(changed)))
        copied = data.draw(st.integers(0, len(changed)))
        piece = data.draw(
            st.binary(max_size=3) | st.sampled_from(PIECES) | st.just(bytes(changed[copied : copied + 120]))
        )
        changed[at : at + data.draw(st.sampled_from([0, 0, 1, 4, 200]))] = piece
    return bytes(changed)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), container=st.sampled_from(list(CONTAINERS)), shape=st.sampled_from(list(to.SHAPES)))
def test_every_line_is_kept_dropped_or_quarantined(data: st.DataObject, container: str, shape: str) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        path = CONTAINERS[container](folder / container, [to.SHAPES[shape](c) for c in CHATS])
        content = mutated(data, path.read_bytes())
        path.write_bytes(content)
        fault = refused(path, folder)
        if fault:
            assert path.name in fault
            return
        lines = sum(1 for _ in open_container(path).entries)
        if container == "rows.jsonl":
            lines = sum(bool(line.strip(b" \t\r\v\f")) for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
        check_chain(folder, lines, CorpusPolicy(actions=actions(data), near_duplicate_jaccard=0.6))


def refused(path: Path, folder: Path) -> str:
    """Read the file in shards of four rows; what is wrong with the file as a whole."""
    try:
        write_rows([DataFiles(path=path)], folder, shard_rows=4)
    except CorpusError as error:
        return str(error)
    return ""


def check_chain(folder: Path, lines: int, policy: CorpusPolicy) -> None:
    rows, quarantine = open_shards(folder / "rows", ROWS), open_shards(folder / "quarantine", QUARANTINE)
    asked = Question(probes=KNOWN.probes, tasks=KNOWN.tasks, pairs=KNOWN.pairs, policy=policy)
    findings = audit(rows, asked, folder).findings
    before = rows.whole()
    audited = write_audited(
        rows, findings, KNOWN.pairs, policy=policy, seed=0, folder=folder / "audited", choose=lambda corpus: KNOWN.pairs
    )
    counts = account(rows, quarantine, findings, audited)
    assert counts["lines"] == counts["kept"] + counts["dropped"] + counts["quarantined"] == lines
    expected = foreseen(rows, quarantine, findings)
    assert expected == {**{name: counts[name] for name in counts if name != "pairs"}, "blocked": 0}
    check_kept(before, findings.whole(), AUDITED.check(audited.whole()))
    left = write_left(audited, asked, folder / "left").whole()
    assert not set(left.filter(pl.col("action") == "mask")["finding"]) & set(PII), "what was masked is gone"
    assert audit_page(rows, findings, DECISIONS.empty())
    assert audited_page(counts, rows, findings)


def check_kept(rows: pl.DataFrame, findings: pl.DataFrame, audited: pl.DataFrame) -> None:
    """Rows that no finding changes are there as they were; each id is there once."""
    assert rows["row_id"].n_unique() == rows.height
    of_corpus = audited.filter(pl.col("origin") == "corpus")
    touched = findings.filter(pl.col("action").is_in(["drop", "mask"]))["row_id"].unique()
    untouched = rows.filter(~pl.col("row_id").is_in(touched.implode()))
    same = of_corpus.filter(~pl.col("row_id").is_in(touched.implode()))
    assert same.select("row_id", "messages").equals(untouched.select("row_id", "messages"))
    lighter = findings.filter(pl.col("action") == "down_weight")["row_id"]
    assert ((of_corpus["weight"] < 1) == of_corpus["row_id"].is_in(lighter.implode())).all()
