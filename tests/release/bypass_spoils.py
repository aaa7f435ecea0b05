"""Ways to make a project that may be released one that may not be; each leaves its artefacts where they are."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bypass_stage import Stage, law
from signers import key_of

from safety_assets.flows import checks, signing
from safety_assets.flows.assets import materialize

RECIPE = "protected"
Spoil = Callable[[Stage], None]


def dirty_rows(stage: Stage) -> None:
    """Put lines into the corpus that nobody can read; nothing is materialized."""
    with (stage.folder / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)


def red_upstream(stage: Stage) -> None:
    """The corpus is materialized again, and its check is red."""
    dirty_rows(stage)
    [verdict] = materialize(stage.workspace(), "raw_corpus").verdicts
    assert verdict.status == "fail"


def unchecked_upstream(stage: Stage) -> None:
    """The corpus is materialized again by a program that asks no check."""
    dirty_rows(stage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "CHECKS", {})
        assert not materialize(stage.workspace(), "raw_corpus").verdicts


def stale_check(stage: Stage) -> None:
    """The green check is of rows that are not the ones on disk."""
    dirty_rows(stage)


def flip(path: Path) -> None:
    """Turn the last bit of a file."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def edited_scores(stage: Stage) -> None:
    flip(stage.workspace().store.current("eval_scores", RECIPE).path / "dimension_scores.parquet")


def edited_weights(stage: Stage) -> None:
    flip(stage.workspace().store.current("finetuned_checkpoint", RECIPE).path / "model" / "model.safetensors")


def swapped_tokenizer(stage: Stage) -> None:
    path = stage.workspace().store.current("finetuned_checkpoint", RECIPE).path / "model" / "tokenizer.json"
    path.write_text(path.read_text().replace("unsafe", "safe").replace('"t', '"T', 1))


def edited_decision(stage: Stage) -> None:
    """Somebody writes approved over what was decided."""
    rejected_by_the_policy(stage)
    path = stage.workspace().store.current("release_decision", RECIPE).path / "decision.json"
    path.write_text(path.read_text().replace('"rejected"', '"approved"'))


def loosened_policy(stage: Stage) -> None:
    """A looser law after training, nobody's signature under it, and the decision made again."""
    law(stage.folder, probes={"min_gate_probes": 1, "max_unscored_share": 0.9})
    materialize(stage.workspace(), "release_decision", RECIPE)


def rejected_by_the_policy(stage: Stage) -> None:
    law(stage.folder, task={"floor": 0.99, "min_gain": -1.0})
    materialize(stage.workspace(), "release_decision", RECIPE)


def held(stage: Stage) -> None:
    """The model owner's veto, after everything was approved."""
    ws = stage.workspace()
    act = signing.draft(ws, key_of("Ada"), None, signing.Subject("project"), kind="hold", reason="An incident.")
    signing.put(ws, act, key_of("Ada"))


SPOILS: dict[Spoil, str] = {
    red_upstream: "raw_corpus: rows_readable failed. 20 of",
    unchecked_upstream: "raw_corpus: rows_readable failed. 20 of",
    stale_check: "corpus_files changed since raw_corpus was made from it",
    edited_scores: "was changed on disk: dimension_scores.parquet",
    edited_weights: "was changed on disk: model/model.safetensors",
    swapped_tokenizer: "was changed on disk: model/tokenizer.json",
    edited_decision: "was changed on disk: decision.json",
    loosened_policy: "policy_binds could not be certified",
    rejected_by_the_policy: "task_floor failed",
    held: "holds back all of project small from release: An incident",
}
"""Each to what the refusal must say."""
