"""Duplicates and contamination: F1 on planted near copies, recall of edited questions, rows a second, memory.

`near copies`: rows of about 60 words, of words drawn as English ones are (Zipf), and a copy of every twentieth with 1
to 6 words replaced. A copy counts as near when the exact Jaccard index of the 3-word runs is at or over 0.8; the other
copies are the look-alikes. `published`: the same of the published rows of Alpaca (SAFETY_ASSETS_REAL_DATA, default
../shared/data). `questions`: every probe of all splits and every task, verbatim and lightly edited
(`question_edits.LIGHT`), and the share of published requests taken for one of the standard probes.

Throughput is of one process on one corpus: learn and find together, CPU time. datasketch does the same task with 128
permutations (words, runs, MinHash, query and insert) where it is installed (`pip install safety_assets[bench]`).
`python -m benchmarks.findings_duplicates --rows 1000000` measures that many rows and the memory they take.
"""

import argparse
import importlib.util
import itertools
import json
import os
import random
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.findings import table
from benchmarks.question_edits import LIGHT, any_word_less
from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.detectors import TASK_OVERLAP
from safety_assets.corpus.duplicates import Duplicates
from safety_assets.corpus.overlap import Questions, last_user_turn
from safety_assets.corpus.tasks import read_tasks
from safety_assets.corpus.words import shingles
from safety_assets.evals.probes import read_probes
from safety_assets.project import open_project
from safety_assets.suites import STANDARD

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
THRESHOLD, WORDS, VOCABULARY = 0.8, 60, 50_000
ROWS, SHARD, PEER_ROWS, EVERY = 20_000, 10_000, 2_000, 20


def section() -> tuple[list[dict], dict]:
    """Rows of the table, and its figures."""
    rows = [near_copies("near copies", list(_texts(ROWS, 0)))]
    if DATA.is_dir():
        rows.append(near_copies("near copies, published", _published_answers()))
    speeds = throughput(ROWS)
    contaminated = list(contamination())
    rows += [
        {"what": f"rows a second, {name}", "measure": "CPU", "value": value, "of": ROWS}
        for name, value in speeds.items()
    ]
    rows += contaminated
    return rows, {
        "f1": {row["what"]: row["value"] for row in rows[:2] if row["measure"] == "F1"},
        "rows_per_second": speeds,
        "contamination": {f"{row['what']}/{row['measure']}": row["value"] for row in contaminated},
    }


def near_copies(what: str, texts: Sequence[str]) -> dict:
    """F1 of the rows found among copies with some words replaced."""
    rng = random.Random(0)
    sources = rng.sample([i for i, text in enumerate(texts) if len(text.split()) >= 12], len(texts) // EVERY)
    copies = [_changed(rng, texts[i], rng.randrange(1, 7)) for i in sources]
    near = {
        len(texts) + n
        for n, (i, copy) in enumerate(zip(sources, copies, strict=True))
        if _jaccard(texts[i], copy) >= THRESHOLD
    }
    learner = Duplicates(THRESHOLD)
    learner.learn(_turns([*texts, *copies]))
    found = {row for row in learner.repeats()["row"] if row >= len(texts)}
    right = len(found & near)
    return {"what": what, "measure": "F1", "value": round(2 * right / (len(found) + len(near)), 4), "of": len(copies)}


def _changed(rng: random.Random, text: str, words: int) -> str:
    spoken = text.split()
    for place in rng.sample(range(len(spoken)), words):
        spoken[place] = f"changed{rng.randrange(1000)}"
    return " ".join(spoken)


def _jaccard(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return len(left & right) / len(left | right)


def throughput(rows: int) -> dict[str, int]:
    """Rows a second of this project's learner and of datasketch."""
    texts = list(_texts(rows, 1))
    began = time.process_time()
    learner = Duplicates(THRESHOLD)
    for first in range(0, rows, SHARD):
        learner.learn(_turns(texts[first : first + SHARD], first))
    learner.repeats()
    found = {"this project": round(rows / (time.process_time() - began))}
    if importlib.util.find_spec("datasketch"):
        found["datasketch"] = _datasketch(texts[:PEER_ROWS])
    return found


def _datasketch(texts: Sequence[str]) -> int:
    from datasketch import MinHash, MinHashLSH

    began = time.process_time()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    for row, text in enumerate(texts):
        signature = MinHash(num_perm=128)
        signature.update_batch([run.encode() for run in shingles(text)])
        index.query(signature)
        index.insert(row, signature)
    return round(len(texts) / (time.process_time() - began))


def contamination() -> Iterator[dict]:
    """Recall of every question verbatim and edited, and published requests taken for one."""
    project = open_project()
    suites = {"bundled probes": read_probes(project.probes), "standard probes": read_probes(STANDARD)}
    tasks = read_tasks(project.task_set, project.settings.task_answer) if project.task_set else None
    for what, frame in suites.items():
        yield from _recall(what, dict(zip(frame["probe_id"], map(last_user_turn, frame["messages"]), strict=True)), 0.6)
    if tasks is not None:
        known = dict(zip(tasks["task_id"], map(last_user_turn, tasks["messages"]), strict=True))
        yield from _recall("tasks", known, TASK_OVERLAP)
    if DATA.is_dir():
        frame = suites["standard probes"]
        asked = Questions(dict(zip(frame["probe_id"], map(last_user_turn, frame["messages"]), strict=True)), 0.6)
        requests = pl.Series([request for request, _ in _published()])
        false = round(len(asked.repeated(requests)) / len(requests), 4)
        yield {
            "what": "standard probes",
            "measure": "published requests taken for one",
            "value": false,
            "of": len(requests),
        }


def _recall(what: str, questions: Mapping[str, str], threshold: float) -> Iterator[dict]:
    index, rng = Questions(questions, threshold), random.Random(0)
    texts = list(questions.values())
    each = {"verbatim": lambda rng, text: text, **LIGHT, "any word less": any_word_less}
    recalls = {}
    for name, edit in each.items():
        recalls[name] = round(len(index.repeated(pl.Series([edit(rng, text) for text in texts]))) / len(texts), 4)
        yield {"what": what, "measure": f"recall, {name}", "value": recalls[name], "of": len(texts)}
    mean = round(sum(recalls[name] for name in LIGHT) / len(LIGHT), 4)
    yield {"what": what, "measure": "recall, mean of light edits", "value": mean, "of": len(texts)}


def _texts(rows: int, seed: int) -> Iterator[str]:
    """Texts of 60 words drawn by Zipf's law."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{i * 7919 % 100_003:x}" for i in range(VOCABULARY)])
    chances = 1 / np.arange(1, VOCABULARY + 1)
    for first in range(0, rows, SHARD):
        drawn = rng.choice(VOCABULARY, size=(min(SHARD, rows - first), WORDS), p=chances / chances.sum())
        yield from (" ".join(row) for row in words[drawn].tolist())


def _turns(texts: Sequence[str], first: int = 0) -> pl.DataFrame:
    """TURNS of one exchange per text, its first ten words asked."""
    split = [text.split(" ", WORDS // 6) for text in texts]
    said = [part for words in split for part in (" ".join(words[:-1]), words[-1])]
    rows = np.repeat(np.arange(first, first + len(texts)), 2)
    frame = {"row": rows, "turn": np.tile([0, 1], len(texts)), "role": ["user", "assistant"] * len(texts), "text": said}
    return TURNS.check(pl.DataFrame(frame).with_columns(question=pl.lit("")))


def _published() -> list[tuple[str, str]]:
    found = []
    for name in ("alpaca_en_demo.json", "alpaca_data_safety_only.json"):
        for row in json.loads((DATA / "alpaca" / name).read_text(encoding="utf-8")):
            found.append(("\n\n".join(filter(None, (row["instruction"], row["input"]))), row["output"]))
    return found


def _published_answers() -> list[str]:
    """Published rows as one text each, every text once."""
    return list(dict.fromkeys(f"{request} {answer}" for request, answer in _published()))


def large(rows: int) -> dict:
    """Seconds and peak memory of so many rows, one near copy in twenty."""
    rng, learner, texts = random.Random(0), Duplicates(THRESHOLD), _texts(rows, 2)
    learning = 0.0
    for first in range(0, rows, SHARD):
        shard = list(itertools.islice(texts, SHARD))
        shard[::EVERY] = [_changed(rng, text, 2) for text in shard[1::EVERY]]
        turns = _turns(shard, first)
        began = time.process_time()
        learner.learn(turns)
        learning += time.process_time() - began
    began = time.process_time()
    repeats = learner.repeats()
    finding = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": rows, "found": repeats.height, "planted": len(range(0, rows, EVERY)),
        "learn_seconds": round(learning, 1), "find_seconds": round(finding, 1),
        "rows_per_second": round(rows / (learning + finding)), "peak_mib": round(peak),
    }  # fmt: skip


def main() -> None:
    """Print the table and the figures, or those of one large corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="measure one corpus of so many rows only")
    chosen = parser.parse_args()
    if chosen.rows:
        print(json.dumps(large(chosen.rows)))
        return
    rows, figures = section()
    print("\n".join(table(rows)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
