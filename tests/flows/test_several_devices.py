"""Several processes that train one order: cancelled they save, one that dies ends all, none is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import psutil
import pytest
import small_project

from safety_assets.corpus.clean import assemble
from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.errors import TrainingError
from safety_assets.evals.probes import read_probes
from safety_assets.flows.several_devices import run_on_devices
from safety_assets.project import open_project
from safety_assets.recipes import Recipe
from safety_assets.records import HISTORY
from safety_assets.worker import read_result

STEPS = 60


@pytest.fixture
def order(untouched: Path, tmp_path: Path) -> dict:
    """To train `protected` in two processes, watched at the end."""
    project = open_project(untouched)
    rows, pairs = read_rows(project.corpus).rows, read_pairs(project.refusal_pairs).rows
    assemble(rows, pairs, held_out_share=0.1, seed=0).write_parquet(tmp_path / "rows.parquet")
    read_probes(project.probes).filter(pl.col("split") == "watch").write_parquet(tmp_path / "probes.parquet")
    recipe = small_project.recipe_settings("protected") | {"injection": 0.2, "monitor": {"every": STEPS}}
    recipe["optimiser"]["steps"] = STEPS
    return {
        "kind": "train", "recipe": Recipe.model_validate(recipe).model_dump(mode="json"), "share": 0.2,
        "base": project.settings.base_model, "rows": str(tmp_path / "rows.parquet"),
        "probes": str(tmp_path / "probes.parquet"), "work": str(tmp_path), "result": str(tmp_path / "result.json"),
        "device": "cpu", "devices": 2, "sharding": "none", "threads": 1, "seed": None, "max_new_tokens": 4,
        "generation_batch": 64,
    }  # fmt: skip


def start(order: dict) -> subprocess.Popen:
    path = Path(order["work"]) / "order.json"
    path.write_text(json.dumps(order))
    program = [sys.executable, "-m", "safety_assets.worker", str(path)]
    return subprocess.Popen(program, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def start_and_wait_for_a_step(order: dict) -> tuple[subprocess.Popen, list[psutil.Process]]:
    """The child, and the processes that train, once they do."""
    child = start(order)
    wait_until(lambda: '"step"' in said(order))
    return child, psutil.Process(child.pid).children(recursive=True)


def said(order: dict) -> str:
    events = Path(order["work"]) / "events.jsonl"
    return events.read_text() if events.is_file() else ""


def wait_until(condition: Callable[[], object], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    return psutil.wait_procs(processes, timeout=seconds)[1] == []


@pytest.mark.long
def test_cancelled_they_save_and_end_and_resumed_they_finish(order: dict) -> None:
    child, ranks = start_and_wait_for_a_step(order)
    assert len(ranks) == 2
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=240)
    assert child.returncode == 130
    assert gone(ranks, seconds=0)
    assert (Path(order["work"]) / "state" / "state.safetensors").is_file()

    child = start(order)
    told, _ = child.communicate(timeout=240)
    result = read_result(order, child.returncode)
    history = HISTORY.check(pl.read_parquet(result["history"]))
    assert history.filter(series="loss")["step"].to_list() == list(range(1, STEPS + 1))
    assert history.filter(pl.col("series").str.starts_with("watch/")).height
    assert (result["facts"]["devices"], result["facts"]["num_rows"]) == (2, 4 * STEPS + STEPS)
    reported = [json.loads(line) for line in told.splitlines()]
    assert [e["step"] for e in reported if e["event"] == "step"][-1] == STEPS
    assert [e["event"] for e in reported[-2:]] == ["watch", "done"]


@pytest.mark.long
def test_one_that_dies_ends_all_in_words(order: dict) -> None:
    child, ranks = start_and_wait_for_a_step(order)
    ranks[1].kill()
    child.communicate(timeout=240)
    assert child.returncode == 1
    assert gone(ranks, seconds=0)
    with pytest.raises(TrainingError, match="of 2 training processes ended .* rank 1 with code -9"):
        read_result(order, child.returncode)


@pytest.mark.long
def test_without_their_agent_they_save_and_end(order: dict) -> None:
    child, ranks = start_and_wait_for_a_step(order)
    child.kill()
    child.communicate()
    assert gone(ranks, seconds=30)
    assert (Path(order["work"]) / "state" / "state.safetensors").is_file()


def steps_order(order: dict) -> dict:
    """What the processes themselves are asked."""
    events = str(Path(order["work"]) / "events.jsonl")
    return order | {"kind": "steps", "baseline": {}, "watched": False, "folder": order["work"], "events": events}


@pytest.mark.long
def test_an_error_that_all_meet_is_told_as_it_was_met(order: dict) -> None:
    rows = pl.read_parquet(order["rows"])
    rows.filter(pl.col("origin") != "corpus").write_parquet(order["rows"])
    with pytest.raises(TrainingError, match="no corpus row is left to train on"):
        run_on_devices(steps_order(order), lambda event: None, lambda: False)


def workers() -> list[list[str]]:
    """The training processes that this one has; what multiprocessing keeps beside it is none of them."""
    lines = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    return [line for line in lines if "safety_assets.worker" in line]


@pytest.mark.long
def test_a_stop_that_came_before_the_processes_reaches_them(order: dict) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with pytest.raises(TrainingError, match="training was interrupted"):
            run_on_devices(steps_order(order), lambda event: None, lambda: True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert not workers()
