import itertools
import json
import random

import polars as pl
import pytest

from benchmarks import source_digest as sources
from benchmarks.poisoned_corpus import harmful, poisoned
from benchmarks.tournament import cells_of, jobs_left
from benchmarks.tournament_cell import Arena, Cell, StepClock
from benchmarks.tournament_plot import draw, heights
from benchmarks.tournament_results import Results, cell_key, content, cost_key, trained_key
from benchmarks.tournament_table import (
    as_json,
    cell_figures,
    over_seeds,
    overview,
    regression_reduced,
    standings,
    table,
)
from data.build.pool import pairs
from safety_assets.corpus.overlap import last_user_turn
from safety_assets.evals.probes import read_probes
from safety_assets.project import BUNDLED
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.task_metric import Exact

PROBES = read_probes(BUNDLED / "probes")
DIMENSIONS = ("safety", "privacy")


def rows(number: int = 40) -> pl.DataFrame:
    chats = [[{"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": "a"}] for i in range(number)]
    kinds = [("corpus", "train")] * (number - 8) + [("corpus", "held_out")] * 4 + [("refusal", "train")] * 4
    return AUDITED.frame([
        {"row_id": f"{i}", "messages": chat, "origin": origin, "group": f"{i}", "split": split}
        for i, (chat, (origin, split)) in enumerate(zip(chats, kinds, strict=True))
    ])  # fmt: skip


def cell(recipe: str, drop: float, *, seed: int = 0, poison: float = 0.0, spread: float = 0.2) -> dict:
    drops = {name: [drop, drop - spread, drop + spread] for name in DIMENSIONS}
    share = [0.5, 0.4, 0.6]
    return {
        "recipe": recipe, "seed": seed, "poison": poison, "drop": drops, "base": dict.fromkeys(DIMENSIONS, 10.0),
        "asr": share, "over_refusal": share, "task": share, "train_seconds": 10.0, "score_seconds": 2.0, "steps": 5,
    }  # fmt: skip


def recipe(**changes: object) -> Recipe:
    settings = {"description": "x", "optimiser": {"learning_rate": 1e-3, "steps": 5}, "injection": "none"}
    return Recipe.model_validate(settings | changes)


def test_poison_replaces_its_share_of_training_rows_and_nothing_else():
    before, after = rows(), poisoned(rows(), PROBES, 0.25, seed=1)
    changed = (before["row_id"] != after["row_id"]).arg_true()
    assert len(changed) == round(0.25 * 32)
    assert after.height == before.height
    assert set(before[changed].select("origin", "split").iter_rows()) == {("corpus", "train")}
    assert after[changed]["row_id"].str.starts_with("poison").all()
    assert all(chat[-1]["content"].endswith("do this: [placeholder].") for chat in after[changed]["messages"])
    assert poisoned(rows(), PROBES, 0.25, seed=1).equals(after)
    assert not poisoned(rows(), PROBES, 0.25, seed=2).equals(after)


def test_poisoned_requests_repeat_no_probe_and_no_refusal_pair():
    found = harmful(300, PROBES, random.Random(0))
    asked = [last_user_turn(chat).lower() for chat in PROBES["messages"]]
    paired = [pair["messages"][-2]["content"].lower() for pair in pairs(20)]
    assert len({text for _, text in found}) == 300
    assert not {text.lower() for _, text in found} & {*asked, *paired}
    for topic in {topic.lower() for topic, _ in found}:
        assert not any(topic in text for text in (*asked, *paired)), topic


def test_a_probe_is_left_out_even_where_it_is_drawn():
    topic, text = harmful(1, PROBES, random.Random(0))[0]
    probe = PROBES.head(1).with_columns(
        messages=pl.Series([[{"role": "user", "content": text}]], dtype=PROBES["messages"].dtype)
    )
    assert topic not in {t for t, _ in harmful(50, pl.concat([PROBES, probe]), random.Random(0))}


def test_a_digest_follows_imports_and_ignores_what_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text("import b\nX = 1\n")
    (tmp_path / "b.py").write_text("Y = 2\n")
    (tmp_path / "c.py").write_text("Z = 3\n")
    first = digest(["a"])
    assert set(sources.closure(["a"])) == {"a", "b"}
    (tmp_path / "b.py").write_text('"""Said."""\n\nY = 2  # of it\n')
    (tmp_path / "c.py").write_text("Z = 4\n")
    assert digest(["a"]) == first
    (tmp_path / "b.py").write_text("Y = 3\n")
    assert digest(["a"]) != first


def digest(modules: list[str]) -> str:
    sources._parsed.cache_clear()
    sources._tree.cache_clear()
    return sources.source_digest(modules)


def test_a_key_names_what_decides_and_nothing_else():
    inputs = {"base": "b", "rows": "r"}
    key = cell_key(recipe(), 0, 0.0, inputs)
    assert key == cell_key(recipe(description="other", seed=5, monitor={"every": 7}), 0, 0.0, inputs)
    other = [
        cell_key(recipe(), 1, 0.0, inputs), cell_key(recipe(), 0, 0.1, inputs),
        cell_key(recipe(), 0, 0.0, inputs | {"rows": "s"}), cell_key(recipe(injection=0.1), 0, 0.0, inputs),
        cell_key(recipe(methods=[{"method": "lora"}]), 0, 0.0, inputs), cost_key(recipe(), recipe(), inputs),
    ]  # fmt: skip
    assert len({key, *other}) == 7
    assert "methods" not in content(recipe())


def test_the_file_goes_on_where_it_was_and_replaces_what_is_outdated(tmp_path):
    path = tmp_path / "results" / "t.json"
    results = Results.open(path)
    assert results.seconds("plain") is None
    results.add("cells", "old", cell("plain", 9.0))
    results.add("cells", "k1", cell("plain", 8.0, seed=1))
    results.add("cells", "k0", cell("plain", 9.5))
    again = Results.open(path)
    assert set(again.lines["cells"]) == {"k0", "k1"}
    assert again.lines["cells"]["k0"] == cell("plain", 9.5)
    assert again.seconds("plain") == 12.0
    assert len(path.read_text().splitlines()) == len(json.loads(path.read_text())["cells"]) + 5


def test_a_step_costs_what_the_trainings_say_where_no_steps_took_turns():
    plain, slow = cell("plain", 9.0) | {"step_seconds": 0.1}, cell("slow", 1.0) | {"step_seconds": 0.25}
    costs = {it.recipe: it.cost for it in standings([plain, slow, cell("untimed", 1.0)], [])}
    assert costs == {"plain": 1.0, "slow": 2.5, "untimed": None}
    timed = standings([plain, slow], [{"recipe": "slow", "cost_ratio": 2.0, "every": {}}])
    assert {it.recipe: it.cost for it in timed} == {"plain": 1.0, "slow": 2.0}


def test_a_step_is_timed_between_the_first_and_the_last_that_is_told(monkeypatch):
    now = iter([10.0, 11.0, 13.0])
    monkeypatch.setattr("benchmarks.tournament_cell.time.process_time", lambda: next(now))
    clock = StepClock()
    assert clock.seconds is None
    for event in ({"event": "preflight"}, *({"event": "step", "step": step} for step in (1, 10, 31))):
        clock(event)
    assert clock.seconds == 0.1


def test_what_is_measured_is_not_run_again_and_the_longest_comes_first(tmp_path):
    arena = Arena(
        folder=tmp_path, base=tmp_path, share=0.1, anatomy=None, metric=Exact(), max_new_tokens=8
    )  # fmt: skip
    results = Results.open(tmp_path / "t.json")
    plain, slow = recipe(name="plain"), recipe(name="slow", injection=0.1)
    results.add("cells", "plain 0", cell("plain", 9.0))
    results.add("cells", "slow 0", cell("slow", 1.0) | {"train_seconds": 300.0})
    cells = [
        Cell(key=f"{one.name} {seed}", recipe=one, seed=seed, poison=0.0) for seed in (0, 1) for one in (plain, slow)
    ]  # fmt: skip
    left = jobs_left(arena, cells, {"cost": slow}, plain, results)
    assert [job.key for job in left] == ["slow 1", "cost", "plain 1"]
    results.add("costs", "cost", {"recipe": "slow", "cost_ratio": 2.0})
    assert [job.key for job in jobs_left(arena, cells, {"cost": slow}, plain, results)] == ["slow 1", "plain 1"]


INPUTS = {"base": "b", "rows": "r", "pretrained": "p", "anatomy": "a", "share": 0.1}
MERGE, LOX = {"repair": "merge"}, {"repair": "lox"}


def test_a_repair_is_a_cell_of_its_own_on_the_weights_that_training_left():
    plain, mended = recipe(name="plain"), recipe(name="mended", repairs=[MERGE, LOX])
    found = cells_of([plain, mended], [0], [0.0], INPUTS)
    assert [cell.recipe.name for cell in found] == ["plain", "mended--merge", "mended--lox"]
    assert len({cell.key for cell in found}) == 3
    assert {cell.trained for cell in found} == {found[0].key}
    assert not cells_of([recipe(name="other", injection=0.1)], [0], [0.0], INPUTS)[0].trained
    arena = Arena(folder=BUNDLED, base=BUNDLED, share=0.1, anatomy=None, metric=Exact(), max_new_tokens=8)
    left = jobs_left(arena, found[::-1], {}, plain, Results(BUNDLED / "none.json"))
    assert next(job.key for job in left) == found[0].key


def test_a_key_follows_the_ancestor_and_the_anatomy_only_where_they_are_read():
    def follows(name: str, **changes: object) -> bool:
        return len({cell_key(recipe(**changes), 0, 0.0, INPUTS | {name: value}) for value in "xy"}) == 2

    assert follows("pretrained", finish=[LOX])
    assert follows("pretrained", start=[LOX])
    assert not follows("pretrained", finish=[MERGE])
    assert follows("anatomy", methods=[{"method": "layer_freezing"}])
    assert not follows("anatomy", methods=[{"method": "layer_freezing", "layers": [1]}])
    assert trained_key(recipe(finish=[LOX]), 0, 0.0, INPUTS) == cell_key(recipe(), 0, 0.0, INPUTS)
    assert trained_key(recipe(start=[LOX]), 0, 0.0, INPUTS) != cell_key(recipe(), 0, 0.0, INPUTS)


def test_names_stand_in_the_order_of_safety_and_none_on_another():
    points = {f"r{i}": (0.9, 0.97) for i in range(20)} | {"last": (0.99, 0.0), "first": (0.1, 1.0)}
    found = heights(points, (-0.05, 1.05))
    inside = sorted(found.values())
    assert min(b - a for a, b in itertools.pairwise(inside)) > 0.03
    assert 0 <= inside[0] == found["last"] < found["r3"] < found["first"] == inside[-1] <= 1


def test_a_picture_per_share_of_poison(tmp_path):
    pytest.importorskip("matplotlib")
    found = standings([cell("plain", 8.0), cell("kept", 1.0)], [{"recipe": "kept", "cost_ratio": 2.5, "every": {}}])
    draw(found, "x", tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_shares_of_what_plain_loses():
    plain, half = cell("plain", 8.0), cell("half", 4.0)
    assert regression_reduced(half["drop"], plain["drop"])[0] == pytest.approx(0.5)
    assert regression_reduced(plain["drop"], plain["drop"]) == [0.0, 0.0, 0.0]
    assert regression_reduced(half["drop"], cell("plain", -1.0)["drop"]) is None
    assert cell_figures(half, plain)["safety_retained"] == pytest.approx([0.6, 0.58, 0.62])
    assert "regression_reduced" not in cell_figures(half, None)
    value, low, high = regression_reduced(half["drop"], plain["drop"])
    sharper = regression_reduced(cell("half", 4.0, spread=0.1)["drop"], plain["drop"])
    assert low < sharper[1] < value < sharper[2] < high


def test_a_gain_hides_no_loss():
    plain, mixed = cell("plain", 8.0), cell("mixed", 4.0)
    mixed["drop"]["privacy"] = [-4.0, -4.2, -3.8]
    assert regression_reduced(mixed["drop"], plain["drop"])[0] == pytest.approx(1 - 2 / 8)


def test_standings_pair_each_cell_with_plain_of_its_seed_and_poison():
    cells = [
        cell("plain", 8.0), cell("plain", 4.0, seed=1), cell("plain", 9.0, poison=0.3),
        cell("kept", 2.0), cell("kept", 2.0, seed=1), cell("kept", 9.0, poison=0.3),
    ]  # fmt: skip
    cells[3]["drop"]["privacy"] = [3.0, 2.9, 3.1]
    found = standings(cells, [{"recipe": "kept", "cost_ratio": 2.5, "every": {"gradient_surgery": 4}}])
    said = as_json(found)
    kept, hit = said["kept"]["0"], said["kept"]["0.3"]
    assert kept["regression_reduced"] == pytest.approx(((1 - 2.5 / 8) + (1 - 2 / 4)) / 2, abs=1e-4)
    assert kept["seeds"] == 2
    assert (kept["worst_dimension"], kept["worst_drop"]) == ("privacy", 2.5)
    assert kept["intervals"]["safety_retained"] == {"probes": [0.78, 0.82], "seeds": [0.8, 0.8]}
    assert hit["regression_reduced"] == pytest.approx(0.0)
    assert hit["intervals"]["task"] == {"probes": [0.4, 0.6], "seeds": None}
    assert (said["plain"]["0"]["cost_ratio"], kept["cost_ratio"]) == (1.0, 2.5)
    assert [(it.poison, it.recipe) for it in found][:2] == [(0.0, "kept"), (0.0, "plain")]
    assert "2.50x | gradient_surgery 4 | 2 |" in table(found)


def test_an_overview_has_a_line_per_recipe_the_safest_first():
    cells = [cell("plain", 8.0), cell("plain", 8.0, seed=1), cell("plain", 9.0, poison=0.3), cell("kept", 1.0)]
    found = standings(cells, [])
    lines = [[one.strip() for one in line.split("|")[1:-1]] for line in overview(found).splitlines()[2:]]
    assert lines == [
        ["kept", "90.0%", "50.0%", "", "", "1.00 safety", "50.0%", "", "1"],
        ["plain", "20.0%", "50.0%", "10.0%", "50.0%", "8.00 safety", "50.0%", "1.00x", "2"],
    ]


def test_an_overview_shows_a_share_of_poison_at_which_most_recipes_stand():
    cells = [cell(name, 1.0) for name in ("plain", "a", "b")] + [cell("plain", 9.0, poison=0.1)]
    assert "10% poison" not in overview(standings(cells, []))
    cells.append(cell("a", 9.0, poison=0.1))
    assert "10% poison" in overview(standings(cells, []))


def test_an_interval_over_seeds_needs_two():
    values = pl.Series([0.8, 0.9, 1.0]).to_numpy()
    low, high = over_seeds(values)
    assert (low + high) / 2 == pytest.approx(0.9)
    assert high - 0.9 == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-5)
    assert over_seeds(values[:1]) is None
