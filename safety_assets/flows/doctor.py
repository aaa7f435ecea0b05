"""Is everything in place? One finding per question about environment, project, model and machine, with its remedy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from safety_assets.corpus.decisions import read_decisions
from safety_assets.corpus.labels import read_labels
from safety_assets.errors import CorpusError, SafetyAssetsError
from safety_assets.evals.probes import (
    enough_probes_to_see_the_budget,
    read_probes,
    read_suite,
    written_for_these_models,
)
from safety_assets.flows.models import base, makers
from safety_assets.flows.tasks import project_tasks
from safety_assets.project import Project
from safety_assets.records import Verdict
from safety_assets.training.footprint import byte_count, existing

State = Literal["ok", "warn", "fail"]

PACKAGE = "safety_assets"
SHOWN = ("torch", "transformers", "peft", "dagster", "dagster-webserver", "polars", "pydantic")
"""Packages whose versions decide whether the project runs."""
COPIES = 4
"""Copies of the weights that should fit on the disk: checkpoint, its training state, and one of each to spare."""
FULL_BYTES, LOADED_BYTES = 16, 4
"""Bytes per parameter: full AdamW in fp32 (weights, gradient, two moments), and weights alone."""
LIVENESS_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Args:
        name: what was looked at.
        state: ok, warn (works, but not well) or fail (will not work).
        said: what was found.
        remedy: what to do; empty when ok.
    """

    name: str
    state: State
    said: str
    remedy: str = ""


def examine(project: Project) -> Iterator[Finding]:
    """Every finding, the cheap ones first."""
    yield from packages()
    yield from files(project)
    yield model(project)
    yield from room(project)
    yield threads(project)
    yield device(project)
    yield history()


def packages() -> Iterator[Finding]:
    """Python and the packages against what this package asks for."""
    yield Finding("python", "ok", ".".join(map(str, sys.version_info[:3])))  # an older one does not get this far
    try:
        asked = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    except metadata.PackageNotFoundError:
        yield Finding(PACKAGE, "warn", "runs, but is not installed: what it needs is unknown", "pip install it")
        asked = [Requirement(name) for name in SHOWN]
    yield from (package(needed) for needed in asked if needed.name in SHOWN and needed.marker is None)


def package(needed: Requirement) -> Finding:
    """One installed package against what is needed of it."""
    wanted = str(needed.specifier) or "any"
    try:
        have = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return Finding(needed.name, "fail", f"not installed, needed {wanted}", f"pip install '{needed}'")
    if not needed.specifier.contains(have, prereleases=True):
        return Finding(needed.name, "fail", f"{have}, needed {wanted}", f"pip install '{needed}'")
    return Finding(needed.name, "ok", f"{have}, needed {wanted}")


def files(project: Project) -> Iterator[Finding]:
    """The files that a project names, each read by its own reader."""
    yield _attempt("policy", lambda: f"{project.policy_file}, risk {project.policy().risk}")
    yield _attempt("recipes", lambda: ", ".join(project.recipe(name).name for name in project.recipe_files()))
    yield _attempt("calibration", lambda: project.recipe(project.policy().injection.recipe).name)
    yield _attempt("corpus", lambda: f"{_rows(project)} rows")
    yield _attempt("refusal pairs", lambda: _pairs(project))
    yield _attempt("decisions", lambda: f"{read_decisions(project.decisions).height} single cases settled")
    yield _attempt("labels", lambda: f"{read_labels(project.labels).height} rows labelled")
    yield _attempt("tasks", lambda: f"{project_tasks(project).height} items")
    yield _attempt("probes", lambda: _probes(project))
    yield _storage(project)


def _attempt(name: str, look: Callable[[], str]) -> Finding:
    """What a reader says; its error is the finding, its `do` the remedy."""
    try:
        return Finding(name, "ok", look())
    except SafetyAssetsError as error:
        expected = f" Expected: {error.expected}." if error.expected else ""
        return Finding(name, "fail", f"{error.found}.{expected}", error.do or "see the message")


def _rows(project: Project) -> int:
    from safety_assets.corpus.ingest import count_rows

    return count_rows(project.corpus)[0]


def _pairs(project: Project) -> str:
    from safety_assets.corpus.pairs import read_pairs
    from safety_assets.corpus.verdicts import every_category_covered, openings_vary

    found, rule = read_pairs(project.refusal_pairs), project.policy().injection
    _demand(every_category_covered(found.rows, found.quarantine, rule))
    _demand(openings_vary(found.rows, rule))
    return f"{found.rows.height} pairs"


def _probes(project: Project) -> str:
    found = read_probes(project.probes)
    _demand(enough_probes_to_see_the_budget(found, project.policy()))
    written_for = read_suite(project.probes).written_for
    if written_for is not None:
        _demand(written_for_these_models(written_for, makers(project)))
    return f"{found.height} probes"


def _demand(verdict: Verdict) -> None:
    """A red check is known before anything is made; its reasons say what to do."""
    if not verdict.passed:
        raise CorpusError(f"{verdict.check} will fail: {' '.join(verdict.reasons)}", do="as the reasons say")


def _storage(project: Project) -> Finding:
    there = existing(project.storage)
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding("storage", "ok", str(project.storage))
    return Finding("storage", "fail", f"{there} cannot be written", "set storage in project.yaml to a folder of yours")


def model(project: Project) -> Finding:
    """The base is complete, and its template renders a chat in which the assistant's part can be found."""
    return _attempt("model", lambda: f"{base(project)}: {_rendered(base(project))} tokens in a test chat")


def _rendered(folder: Path) -> int:
    from safety_assets.errors import ModelError
    from safety_assets.models.chat import encode_chat
    from safety_assets.models.identity import identify
    from safety_assets.models.load import read_tokenizer

    identify(folder)
    chat = [{"role": "user", "content": "Where is the key?"}, {"role": "assistant", "content": "On the table."}]
    try:
        return len(encode_chat(read_tokenizer(folder), chat).ids)
    except SafetyAssetsError:
        raise
    except Exception as error:  # tokenizers and templates raise many kinds; each is a model that cannot be asked
        raise ModelError(f"the chat template in {folder} does not render: {error}", do="add its files again") from error


def room(project: Project) -> Iterator[Finding]:
    """Disk for checkpoints, memory for training; nothing where there is no model to go by, which `model` says."""
    from safety_assets.models.weights import inspect_weights, weight_files

    try:
        folder = base(project)
    except SafetyAssetsError:
        return
    weights = sum(path.stat().st_size for path in weight_files(folder))
    free = shutil.disk_usage(existing(project.storage)).free
    said = f"{byte_count(free)} free, a checkpoint takes {byte_count(weights)}"
    state: State = "fail" if free < weights else "warn" if free < COPIES * weights else "ok"
    yield Finding("disk", state, said, "" if state == "ok" else "free some, or set storage in project.yaml elsewhere")
    yield _memory(inspect_weights(folder).parameters)


def _memory(parameters: int) -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    full, loaded = FULL_BYTES * parameters, LOADED_BYTES * parameters
    said = f"{byte_count(total)}; full fine-tuning takes {byte_count(full)} and what its batches need"
    if total < loaded:
        return Finding("memory", "fail", said, "use a machine with more memory, or a smaller model")
    if total < full:
        return Finding("memory", "warn", said, "use recipes with lora, or train on a machine with more memory")
    return Finding("memory", "ok", said)


def threads(project: Project) -> Finding:
    """CPU threads that the project asks for against those there are."""
    have, asked = os.cpu_count() or 1, project.settings.threads
    if asked is not None and asked > have:
        return Finding("threads", "warn", f"{asked} asked for, {have} there", f"set threads: {have} in project.yaml")
    return Finding("threads", "ok", f"{asked or 'as torch chooses'}, {have} there")


def device(project: Project) -> Finding:
    """The device that the project asks for."""

    def look() -> str:
        from safety_assets.models.load import pick_device

        return f"{project.settings.device}: {pick_device(project.settings.device)}"

    return _attempt("device", look)


def history() -> Finding:
    """Where Dagster keeps its history, and whether its daemon lives: without one, launches stay queued."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return Finding("dagster", "warn", "DAGSTER_HOME is not set", "set it to a folder, else history is forgotten")
    if not (Path(home) / "dagster.yaml").is_file():
        return Finding("dagster", "warn", f"{home} holds no dagster.yaml", "copy the one of this repository there")
    asked = [sys.executable, "-m", "dagster._daemon", "liveness-check"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=LIVENESS_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Finding("dagster", "warn", f"no answer in {LIVENESS_SECONDS} s", "look at the storage of DAGSTER_HOME")
    if done.returncode == 0:
        return Finding("dagster", "ok", f"a daemon runs for {home}")
    said = (re.findall(r"\S.*", done.stdout + done.stderr) or ["no daemon"])[-1]
    return Finding("dagster", "warn", f"{home}: {said}", "start `dagster dev`: launches stay queued without a daemon")
