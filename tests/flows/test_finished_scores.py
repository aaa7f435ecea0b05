"""A finished table is used again where nothing that decides it changed, and nowhere else."""

import os
import shutil
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import small_checkpoints
import yaml

from safety_assets.evals.kept import Kept
from safety_assets.evals.remembered import Target
from safety_assets.flows import code_version, finished
from safety_assets.flows.asking import FILE, kept
from safety_assets.flows.clean_up import clean_up
from safety_assets.flows.finished import ASSET, Exam, Finished, score_once
from safety_assets.flows.workspace import Workspace
from safety_assets.records import RESPONSES
from safety_assets.store import Store


class Bench:
    """A project, a model that says the same to everything, and how often it was asked."""

    def __init__(self, folder: Path, opened: Callable[..., Workspace]) -> None:
        self.folder, self.opened, self.num_asked, self.failure, self.code = folder, opened, 0, None, "0" * 64
        self.meanwhile: Callable[[], object] = lambda: None

    @property
    def ws(self) -> Workspace:
        return self.opened(self.folder)

    def score(self, *, force: bool = False, model: str = "model", **change: object) -> Finished:
        exam = {"place": self.folder / "few.jsonl", "named": "few", "split": "gate", **change}
        longest = exam.pop("max_new_tokens", None)
        adapter = exam.pop("adapter", None)
        ws = self.opened(self.folder, force=force)
        return score_once(ws, Exam(**exam), str(self.folder / model), adapter, longest)

    def answer(self, ws: Workspace, exam: Exam, asked: Target, longest: int | None) -> SimpleNamespace:
        self.num_asked += 1
        probes = exam.probes(ws)["probe_id"]
        said = {"model": asked.model, "sample": 0, "choice_logprobs": [], "failure": self.failure}
        responses = RESPONSES.frame([{**said, "probe_id": probe} for probe in probes])
        self.meanwhile()
        return SimpleNamespace(responses=responses, asked=len(probes), name=asked.name)

    def objects(self) -> list[Path]:
        return sorted((self.ws.store.root / "objects").iterdir())

    def memory(self) -> list[Path]:
        return sorted((self.ws.store.root / "made").iterdir())

    def set(self, name: str, **change: object) -> None:
        path = self.folder / name
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))


def written(scored: SimpleNamespace) -> Finished:
    table = BytesIO()
    scored.responses.write_parquet(table)
    said = {"model": scored.name, "asked": scored.asked, "remembered": 0}
    return Finished(scores=b"scores", responses=table.getvalue(), document=said)


@pytest.fixture
def bench(
    untouched: Path, tiny_model: Path, tmp_path: Path, opened: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> Bench:
    folder = shutil.copytree(untouched, tmp_path / "project")
    shutil.copytree(tiny_model, folder / "model")
    shutil.copyfile(folder / "probes" / "gate" / "safety.jsonl", folder / "few.jsonl")
    made = Bench(folder, opened)
    monkeypatch.setattr(finished, "_scored", made.answer)
    monkeypatch.setattr(finished, "finish", written)
    monkeypatch.setattr(finished, "package_digest", lambda: made.code)
    return made


def test_nothing_changed_gives_the_same_files_and_asks_nothing(bench: Bench) -> None:
    first, again = bench.score(), bench.score()
    assert bench.num_asked == 1
    assert (first.scores, first.responses) == (again.scores, again.responses)
    assert again.document == {**first.document, "asked": 0, "remembered": first.document["asked"]}
    assert list(again.document) == list(first.document)
    (artefact,) = bench.ws.store.all(ASSET)
    assert bench.ws.store.partitions(ASSET) == []  # nothing refers to it
    assert (artefact.path / "scores.parquet").read_bytes() == first.scores


def flip_a_bit(bench: Bench) -> None:
    path = bench.folder / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def append(path: Path) -> None:
    path.write_text(path.read_text() + " ")


def change_a_probe(bench: Bench) -> None:
    path = bench.folder / "few.jsonl"
    path.write_text(path.read_text().replace("?", " now?", 1))


def replace_an_answer(bench: Bench) -> None:
    kept(bench.ws, "answers").keep({"ab": {"text": "Yes."}}, again=True)


def remove_what_is_kept(bench: Bench) -> None:
    for path in bench.ws.project.storage.glob(f"{FILE}*"):
        path.unlink()


CHANGES: dict[str, Callable[[Bench], object]] = {
    "one bit of the weights": flip_a_bit,
    "the template": lambda b: append(b.folder / "model" / "chat_template.jinja"),
    "a probe": change_a_probe,
    "bits that weights are held in": lambda b: b.set("project.yaml", quantise="8bit"),
    "the system prompt": lambda b: b.set("project.yaml", system_prompt="Be brief."),
    "length of an answer by setting": lambda b: b.set("project.yaml", max_new_tokens=5),
    "a kept answer": replace_an_answer,
    "the file of kept answers": remove_what_is_kept,
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_decides_a_table_makes_it_anew(bench: Bench, what: str) -> None:
    bench.score()
    CHANGES[what](bench)
    bench.score()
    assert bench.num_asked == 2
    bench.score()
    assert bench.num_asked == 2


@pytest.mark.parametrize(
    "change",
    [{"split": "all"}, {"named": "other"}, {"max_new_tokens": 3}, {"wrappers": ("base64",)}, {"in_domain": True}],
)
def test_another_exam_is_another_table(bench: Bench, change: dict) -> None:
    bench.score()
    for number in (2, 2):
        bench.score(**{"place": bench.folder / "probes", **change})
        assert bench.num_asked == number
    bench.score()
    assert bench.num_asked == 2


def test_the_policy_counts_where_it_sizes_what_is_asked(bench: Bench) -> None:
    wrapped = {"place": bench.folder / "probes", "wrappers": ("base64",)}
    bench.score()
    bench.score(**wrapped)
    policy = yaml.safe_load((bench.folder / "policy.yaml").read_text())
    bench.set("policy.yaml", probes={**policy.get("probes", {}), "wrapped": {"requests": 3}})
    bench.score()
    assert bench.num_asked == 2
    bench.score(**wrapped)
    assert bench.num_asked == 3
    bench.score(**{**wrapped, "wrappers": ("rot13",)})
    assert bench.num_asked == 4


def test_an_adapter_and_another_model_have_tables_of_their_own(bench: Bench) -> None:
    small_checkpoints.adapter(bench.folder / "model", bench.folder / "adapter")
    shutil.copytree(bench.folder / "model", bench.folder / "twin")
    said = [bench.score(**each) for each in ({}, {"adapter": str(bench.folder / "adapter")}, {"model": "twin"})]
    assert bench.num_asked == 3
    assert said[2].document["model"] == "twin"  # the same weights under another name


def test_code_and_libraries_count(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.score()
    bench.code = "1" * 64
    bench.score()
    version = finished.version
    monkeypatch.setattr(finished, "version", lambda name: "0" if name == "torch" else version(name))
    bench.score()
    assert bench.num_asked == 3


def test_the_digest_of_the_package_is_over_every_source_and_weight(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(code_version, "PACKAGE", tmp_path)
    (tmp_path / "evals").mkdir()
    seen = {code_version.package_digest()}
    for name, text in (("evals/judges.py", "A = 1"), ("evals/judges.py", "A = 2"), ("evals/w.json", "0")):
        (tmp_path / name).write_text(text)
        seen.add(code_version.package_digest())
    assert len(seen) == 4


def test_force_makes_it_anew_and_that_is_used(bench: Bench) -> None:
    bench.score()
    bench.score(force=True)
    assert bench.num_asked == 2
    bench.score()
    assert bench.num_asked == 2


def test_a_table_that_lacks_an_answer_is_not_kept(bench: Bench) -> None:
    bench.failure = "the connection dropped"
    bench.score()
    bench.failure = None
    bench.score()
    assert bench.num_asked == 2


def test_what_changes_on_the_way_is_not_kept(bench: Bench) -> None:
    for change in (flip_a_bit, change_a_probe, replace_an_answer):
        bench.meanwhile = lambda change=change: change(bench)
        bench.score()
        assert bench.ws.store.all(ASSET) == []


def test_an_endpoint_is_asked_each_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    there = SimpleNamespace(name="served", model="0" * 64, how={})
    monkeypatch.setattr(finished, "target", lambda *named: there)
    exam = Exam(place=bench.folder / "few.jsonl", named="few", split="gate")
    for number in (1, 2):
        score_once(bench.ws, exam, "http://127.0.0.1:9/v1")
        assert bench.num_asked == number
    assert bench.ws.store.all(ASSET) == []


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


SPOILT: dict[str, Callable[[Path], object]] = {
    "flipped": flipped,
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "no mapping": lambda path: path.write_text("[1]"),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("name", ["scores.parquet", "responses.parquet", "document.json", "manifest.json", "memory"])
def test_a_spoilt_table_is_named_thrown_away_and_made_anew(
    bench: Bench, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = bench.score()
    for number, (how, spoil) in enumerate(SPOILT.items(), 2):
        spoil(bench.memory()[0] if name == "memory" else bench.objects()[0] / name)
        caplog.clear()
        assert bench.score().scores == bench.score().scores == first.scores
        assert bench.num_asked == number
        assert ("are made anew" in caplog.text) is ((name, how) != ("memory", "gone"))
        (whole,) = bench.objects()  # the spoilt one is gone
        bench.ws.store.open(whole.name).verify()


def test_a_table_of_another_key_is_not_taken(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.score()
    (one,) = bench.memory()
    flip_a_bit(bench)
    bench.score()
    (two,) = (path for path in bench.memory() if path != one)
    shutil.copyfile(one, two)
    bench.score()
    assert bench.num_asked == 3
    assert "are made anew" in caplog.text


@pytest.mark.parametrize("early", [True, False])
def test_a_process_killed_while_it_kept_a_table_leaves_none(
    bench: Bench, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = Store._settle

    def stop(store: Store, folder: Path, place: Path) -> None:
        if not early:
            settle(store, folder, place)
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "_settle", stop)
    with pytest.raises(KeyboardInterrupt):
        bench.score()
    assert not (bench.ws.store.root / "made").exists()
    monkeypatch.setattr(Store, "_settle", settle)
    assert bench.score().scores == bench.score().scores
    assert bench.num_asked == 2


def test_several_processes_share_it(bench: Bench) -> None:
    done = bench.score()
    stores, wrong = [bench.ws for _ in range(4)], []

    def use(ws: Workspace) -> None:
        for _ in range(5):
            found = finished._found(ws, "ab" * 32)
            if found is not None and found.scores != done.scores:
                wrong.append(found)
            finished._keep(ws, "ab" * 32, done)

    threads = [threading.Thread(target=use, args=(ws,)) for ws in stores]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
    found = finished._found(bench.ws, "ab" * 32)
    assert found is not None
    assert found.scores == done.scores


def test_clean_up_removes_what_was_not_used_for_a_day(bench: Bench) -> None:
    bench.score()
    flip_a_bit(bench)
    bench.score()
    for folder in bench.objects():
        os.utime(folder / "manifest.json", (0, 0))
    bench.score()
    (gone,) = clean_up(bench.ws.store, dry_run=False).unused
    assert gone.asset == ASSET
    bench.score()
    assert (bench.num_asked, len(bench.memory())) == (2, 1)


def test_an_era_ends_when_a_kept_value_is_replaced(tmp_path: Path) -> None:
    answers, verdicts = (Kept(tmp_path / "kept.sqlite", kind) for kind in ("answers", "verdicts"))
    first = answers.era()
    answers.keep({"ab": 1})
    assert answers.era() == verdicts.era() == first > 0
    verdicts.keep({"ab": 1}, again=True)
    assert answers.era() == verdicts.era() != first
