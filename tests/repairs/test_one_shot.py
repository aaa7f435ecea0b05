"""One-shot: which candidates are tried, which is taken, and that nothing else is left."""

from collections.abc import Sequence
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace

import polars as pl
import pytest

from safety_assets.errors import ModelError
from safety_assets.flows import repairing
from safety_assets.repair_specs import OneShotPatch
from safety_assets.repairs.measured import Measured
from safety_assets.repairs.one_shot import candidates, choose, one_shot

REFUSALS = [
    [{"role": "user", "content": f"ask {n}"}, {"role": "assistant", "content": "I cannot help with that."}]
    for n in range(5)
]


def figures(safety: float | None, over: float | None = 0.0, loss: float | None = None) -> Measured:
    return Measured(safety=safety, over_refusal=over, task_loss=loss)


def test_candidates_are_disjoint_seeded_and_no_more_than_there_are() -> None:
    found = candidates(REFUSALS, 4, 2, 0)
    assert found == candidates(REFUSALS, 4, 2, 0) != candidates(REFUSALS, 4, 2, 1)
    assert [len(one) for one in found] == [2, 2]
    assert len({place for one in found for place in one}) == 4


def test_the_safest_within_the_limit_then_the_least_loss() -> None:
    assert choose([figures(5), figures(9), figures(10, over=0.5)], 0.2) == (1, True)
    assert choose([figures(9, loss=2), figures(9, loss=1), figures(8, loss=0)], 0.2) == (1, True)
    assert choose([figures(9, over=0.5), figures(10, over=0.6)], 0.2) == (1, False)
    assert choose([figures(None), figures(1)], 0.2) == (1, True)
    with pytest.raises(ModelError, match="could not be scored"):
        choose([figures(None)], 0.2)


def test_the_chosen_candidate_becomes_the_model(tmp_path: Path) -> None:
    tuned = tmp_path / "tuned"
    tuned.mkdir()
    (tuned / "said").write_text("nothing")

    def train(start: Path, chats: Sequence[list], kept: Sequence[list], spec: OneShotPatch, out: Path) -> None:
        copytree(start, out)
        (out / "said").write_text(chats[0][0]["content"])

    def measure(folder: Path) -> Measured:
        said = (folder / "said").read_text()
        return figures(10.0 if said == "ask 3" else 0.0)

    spec = OneShotPatch(repair="one_shot", candidates=5)
    facts = one_shot(tuned, REFUSALS, {}, spec, measure, train, tmp_path / "out")
    assert (tmp_path / "out" / "said").read_text() == "ask 3"
    assert facts["candidates"][facts["chosen"]]["asked"] == ["ask 3"]
    assert facts["before"]["safety"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tuned"]


def test_too_few_refusals_are_refused(tmp_path: Path) -> None:
    spec = OneShotPatch(repair="one_shot", refusals=6)
    with pytest.raises(ModelError, match="5 refusals"):
        one_shot(tmp_path, REFUSALS, {}, spec, lambda folder: figures(1), lambda *given: None, tmp_path / "out")


def test_other_rows_are_the_same_for_every_candidate(tmp_path: Path) -> None:
    trained: list[list[str]] = []

    def train(start: Path, chats: Sequence[list], kept: Sequence[list], spec: OneShotPatch, out: Path) -> None:
        trained.append([chat[0]["content"] for chat in (*chats, *kept)])
        out.mkdir()

    answered = {
        kind: [[{"role": "user", "content": f"{kind} {n}"}] for n in range(4)] for kind in ("corpus", "lookalike")
    }
    spec = OneShotPatch(repair="one_shot", candidates=2, refusals=2, lookalikes=1, kept=2)
    one_shot(tmp_path, REFUSALS, answered, spec, lambda folder: figures(1), train, tmp_path / "out")
    assert [[text.split()[0] for text in one] for one in trained] == [
        ["ask", "ask", "lookalike", "corpus", "corpus"]
    ] * 2
    assert trained[0][2:] == trained[1][2:]
    wanted = OneShotPatch(repair="one_shot", kept=5)
    with pytest.raises(ModelError, match="4 corpus rows"):
        one_shot(tmp_path, REFUSALS, answered, wanted, lambda folder: figures(1), train, tmp_path / "other")


@pytest.mark.parametrize(("kept", "methods"), [(2, ["gradient_surgery"]), (0, [])])
def test_kept_rows_are_held_and_not_learned(
    kept: int, methods: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict = {}

    def train_one(order: dict, share: float, folder: Path, **_: object) -> SimpleNamespace:
        asked.update(order, share=share, told=pl.read_parquet(order["rows"]))
        (folder / "trained").mkdir()
        return SimpleNamespace(model=folder / "trained")

    monkeypatch.setattr(repairing, "train_one", train_one)
    order = {"recipe": {"max_tokens": 64, "precision": "fp32"}}
    spec = OneShotPatch(repair="one_shot", kept=kept, batch_rows=2, schedule="linear")
    repairing._train(
        order, tmp_path, print, bool, tmp_path, REFUSALS[:3], REFUSALS[3 : 3 + kept], spec, tmp_path / "out"
    )
    assert asked["share"] == 0
    assert asked["told"]["origin"].to_list() == ["corpus"] * 3 + ["anchor"] * kept
    assert asked["recipe"]["optimiser"]["batch_rows"] == 2
    assert [(m["method"], m["origins"]) for m in asked["recipe"]["methods"]] == [(m, ["anchor"]) for m in methods]
    assert (tmp_path / "out").is_dir()
