"""A smoke run: an ordinary run of a small copy of the project, to see in minutes that every part works together.

The copy holds 50 rows, 20 steps, a few probes of every metric and a law that lets every figure pass. It has a store of
its own, and because `smoke` is set in it, its decisions approve nothing and nothing of it can be released.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl
import yaml

from safety_assets.corpus.ingest import first_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.evals.probes import read_probes, read_suite
from safety_assets.flows.tasks import project_tasks
from safety_assets.monitor_specs import Monitor
from safety_assets.policy import Closeness, SignOffs
from safety_assets.project import AdaptedModel, ModelSetting, Project, open_project
from safety_assets.recipes import Recipe
from safety_assets.store import digest_json

ROWS, STEPS, TASKS, PAIRS_PER_CATEGORY, PROBES_PER_METRIC = 50, 20, 20, 8, 8
HELD_OUT = 0.2
"""Least share of conversations held out: of fifty rows a twentieth may be none."""
FOLDER = "smoke"

Texts = Mapping[str, str]


def smoke_project(project: Project) -> Project:
    """The small copy of a project as its files are now, written under its storage root if it is not there yet.

    Raises:
        SafetyAssetsError: a file of the project cannot be read.
    """
    texts = _texts(project)
    folder = project.storage / FOLDER / digest_json(texts)[:16]
    if not (folder / "project.yaml").is_file():
        _write(folder, texts)
    return open_project(folder)


def _texts(project: Project) -> Texts:
    """Name to text of every file of the copy."""
    rows = first_rows(project.corpus, ROWS)
    pairs = read_pairs(project.refusal_pairs).rows
    kept = pairs.filter(pl.int_range(pl.len()).over("kind", "category") < PAIRS_PER_CATEGORY)
    texts = {
        "project.yaml": _yaml(_settings(project)),
        "policy.yaml": _yaml(_law(project)),
        "corpus/rows.jsonl": _lines(rows.select("messages", "group").to_dicts()),
        "refusals/pairs.jsonl": _lines(kept.select("messages", "kind", "category").to_dicts()),
        "probes/suite.yaml": _yaml(read_suite(project.probes).model_dump(mode="json")),
    }
    texts |= {f"recipes/{name}.yaml": _yaml(_recipe(project.recipe(name))) for name in project.recipe_files()}
    for (split, dimension), probes in _few(read_probes(project.probes)).group_by("split", "dimension"):
        texts[f"probes/{split}/{dimension}.jsonl"] = _lines(probes.to_dicts())
    if project.task_set is not None:
        texts["tasks.jsonl"] = _lines(project_tasks(project).head(TASKS).drop("task_id").to_dicts())
    return texts


def _settings(project: Project) -> dict:
    """The project's settings with every path absolute, or pointing into the copy."""
    own = project.settings
    models = {key: _absolute(project, getattr(own, key)) for key in ("base_model", "anchor", "pretrained_model")}
    changed = {
        "name": f"{own.name[:57]}-smoke", "smoke": True, "corpus": ["corpus"], "refusal_pairs": "refusals",
        "task_set": None if project.task_set is None else "tasks.jsonl", "probes": "probes", "recipes": "recipes",
        "policy": "policy.yaml", "external_checkpoints": None, "storage": str(project.storage / FOLDER / "store"),
        "chat_template": str(project.path(own.chat_template)) if own.chat_template else None,
        "task_answer": own.task_answer.model_dump(exclude_none=True)
        if own.task_answer and project.task_set is None else None,
    }  # fmt: skip
    written = own.model_dump(mode="json", exclude_none=True) | models | changed
    return {key: value for key, value in written.items() if value is not None or key == "task_set"}


def _absolute(project: Project, named: ModelSetting | None) -> str | dict | None:
    """A model setting as it is found from anywhere; a hub id stays one."""
    if named is None:
        return None
    if isinstance(named, AdaptedModel):
        return {key: _found(project, value) for key, value in named.model_dump(exclude_none=True).items()}
    return _found(project, named)


def _found(project: Project, named: str) -> str:
    path = project.path(named)
    return str(path) if path.exists() else named


def _closeness(project: Project, rule: Closeness | None) -> Closeness | None:
    """The same with its encoder as it is found from anywhere."""
    if rule is None or rule.embedding_model is None:
        return rule
    return rule.model_copy(update={"embedding_model": _found(project, rule.embedding_model)})


def _law(project: Project) -> dict:
    """The policy with its actions and categories, and limits that every figure keeps."""
    policy = project.policy()
    lenient = {"max_drop": 10.0, "certify_within": 10.0, "floor": 0.0, "accepted_base": None}
    return policy.model_copy(
        update={
            "risk": "research",
            "dimensions": {name: rule.model_copy(update=lenient) for name, rule in policy.dimensions.items()},
            "task": policy.task.model_copy(update={"floor": 0.0, "min_gain": -1.0}),
            "max_over_refusal": 1.0,
            "corpus": policy.corpus.model_copy(
                update={
                    "held_out_share": max(HELD_OUT, policy.corpus.held_out_share),
                    "max_quarantined_share": 1.0,
                    "closeness": _closeness(project, policy.corpus.closeness),
                }
            ),
            "injection": policy.injection.model_copy(
                update={
                    "max_safety_drop": 10.0,
                    "max_over_refusal": 1.0,
                    "min_pairs_per_category": 1,
                    "max_opening_share": 1.0,
                    "max_pairs": None,
                }
            ),
            "probes": policy.probes.model_copy(update={"min_gate_probes": 1, "max_unscored_share": 0.99}),
            "people": {},
            "sign_offs": SignOffs(),
            "dispositions": False,
        }
    ).model_dump(mode="json", exclude_none=True)


def _recipe(recipe: Recipe) -> dict:
    steps = min(STEPS, recipe.optimiser.steps)
    optimiser = {"steps": steps, "warmup_steps": min(recipe.optimiser.warmup_steps, steps // 4)}
    return recipe.model_copy(
        update={
            "optimiser": recipe.optimiser.model_copy(update=optimiser),
            "monitor": Monitor(every=max(1, steps // 2), floor=recipe.monitor.floor),
        }
    ).model_dump(mode="json", exclude_none=True)


def _few(probes: pl.DataFrame) -> pl.DataFrame:
    """Of every metric the first probes of its largest category, pairs kept whole, each a cluster of its own."""
    unit = pl.coalesce("pair", "probe_id")
    metric = ["dimension", "split", "metric"]
    seen = probes.filter(pl.col("slice") == "seen").with_columns(unit=unit)
    sizes = seen.group_by(*metric, "category").agg(pl.col("unit").n_unique().alias("units"))
    largest = sizes.sort("units", "category", descending=[True, False]).unique(
        metric, keep="first", maintain_order=True
    )
    kept = seen.join(largest.select(*metric, "category"), on=[*metric, "category"], maintain_order="left")
    place = pl.col("unit").rank("dense").over(metric)
    return kept.filter(place <= PROBES_PER_METRIC).with_columns(group=pl.col("unit")).drop("unit")


def _write(folder: Path, texts: Texts) -> None:
    """All files under a temporary name, then moved into place: two steps at once write the same copy."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    for name, text in texts.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    try:
        os.rename(new, folder)
    except OSError:  # another step was quicker
        shutil.rmtree(new)


def _yaml(value: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True)


def _lines(rows: Iterable[Mapping[str, object]]) -> str:
    """JSON lines; keys without a value, and empty lists, are left out."""
    kept = ({key: value for key, value in row.items() if value not in (None, [])} for row in rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
