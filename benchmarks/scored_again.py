"""Scoring unchanged weights again, as a share of the first run: no model is loaded.

    python -m benchmarks.scored_again

`safety-assets score` of the published aligned model (SAFETY_ASSETS_REAL_MODELS; else the bundled one, which is through
too soon to compare with) in a process of its own with an empty store, and again with nothing changed, REPEATS times.
What is compared is processor time, imports included; of the repeats the median. The first run asks the gate probes of
the standard suite; where that takes under 60 seconds all splits and every wrapper, then the published suites too
(SAFETY_ASSETS_REAL_DATA). The files that both runs write must be equal byte by byte.

The last line is JSON.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safety_assets import suites
from safety_assets.project import BUNDLED

FIRST_SECONDS = 60.0
"""The least that a first run must take for a share of it to say something."""
REPEATS = 3
EVERYTHING = ("--split", "all", "--wrap", "all")
FILES = ("scores.parquet", "scores.responses.parquet")


def main() -> None:
    """Measure, print a line and JSON."""
    print(json.dumps(scored_again()))


def scored_again() -> dict[str, float | int | str]:
    """Seconds of a first run and of the median repeat, and their ratio; of the first exam that takes long enough."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (named, words) in enumerate(_exams(Path(folder))):
            found = _measured(Path(folder) / str(number), words)
            print(f"{named}: {found['asked']} asked in {found['first_s']} s, again in {found['again_s']} s", flush=True)
            if float(found["first_s"]) >= FIRST_SECONDS:
                break
    return {"exam": named, **found}


def _exams(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """What is asked, each more than the one before."""
    yield "standard, gate", ["--probes", "standard"]
    yield "standard, all splits and wrappers", ["--probes", "standard", *EVERYTHING]
    published = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", "absent")) / "prompts.jsonl"
    if published.is_file():
        place = shutil.copytree(suites.STANDARD, folder / "probes")
        shutil.copyfile(published, place / "published.jsonl")
        yield "standard and published suites, all splits and wrappers", ["--probes", str(place), *EVERYTHING]


def _measured(place: Path, words: list[str]) -> dict[str, float | int | str]:
    place.mkdir()
    first, asked = _run(place, words)
    files = [(place / name).read_bytes() for name in FILES]
    again = [_run(place, words) for _ in range(REPEATS)]
    if not asked or any(number for _, number in again):
        raise SystemExit("the first run must ask the model, and the others must not")
    if files != [(place / name).read_bytes() for name in FILES]:
        raise SystemExit("scoring again wrote other files")
    seconds = statistics.median(spent for spent, _ in again)
    return {
        "asked": asked, "first_s": round(first, 1), "again_s": round(seconds, 2),
        "cached_ratio": round(seconds / first, 4),
    }  # fmt: skip


def _run(place: Path, words: list[str]) -> tuple[float, int]:
    """Processor seconds of one process, and how many questions it put to the model."""
    out = ["--out", str(place / FILES[0]), "--json"]
    command = [sys.executable, "-m", "safety_assets.cli", "score", "--model", str(_model()), *words, *out]
    env = {**os.environ, "SAFETY_ASSETS_PROJECT": str(BUNDLED), "SAFETY_ASSETS_STORAGE": str(place / "store")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, env=env, cwd=BUNDLED.parent, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, int(json.loads(done.stdout)["asked"])


def _model() -> Path:
    """The model whose first run takes longest of those that are here."""
    published = Path(os.environ.get("SAFETY_ASSETS_REAL_MODELS", "absent")) / "aligned"
    return published if published.is_dir() else BUNDLED / "models" / "aligned"


if __name__ == "__main__":
    main()
