"""The second judge that a policy demands, on what base and candidate said; and people's word over both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from safety_assets.evals.answer_files import judge_file
from safety_assets.evals.kept import Kept
from safety_assets.evals.refitted import open_judge
from safety_assets.evals.review import REVIEW
from safety_assets.evals.two_judges import answers, overridden, reviewed
from safety_assets.flows.apart import Apart, compared_apart
from safety_assets.flows.asking import kept
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.judging import by_classifier, by_endpoint
from safety_assets.flows.rail_judge import by_rail_scores
from safety_assets.flows.read_answers import read_reviewed
from safety_assets.flows.sources import files_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.measures import Judges
from safety_assets.policy import Policy
from safety_assets.records import SCORES, VERDICTS, Verdict
from safety_assets.release.verdicts import answers_reviewed
from safety_assets.served.address import read_address
from safety_assets.store import Artefact, digest_json, write_frame, write_json

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Twice:
    """Answers judged twice.

    Args:
        scores: side (base, tuned) to SCORES, people's word in them.
        read: SCORES of the answers that people labelled, of both sides.
        queue: REVIEW of the answers that people have to read; `label` and `who` are filled in where they did.
        second: VERDICTS of the second judge.
        found: `disagreement` and `num_answers` by side, `judge`, `num_queued`, `num_unread`; of RAIL Score `rail`.
    """

    scores: Mapping[str, pl.DataFrame]
    read: pl.DataFrame
    queue: pl.DataFrame
    second: pl.DataFrame
    found: Mapping[str, Any]


def judge_twice(
    ws: Workspace, law: Policy, probes: pl.DataFrame, responses: Mapping[str, pl.DataFrame],
    scores: Mapping[str, pl.DataFrame],
) -> Twice | None:  # fmt: skip
    """Ask the second judge about both sides, and put people's word into the scores; None where none is demanded.

    Args:
        law: names the judge.
        probes: PROBES that were asked.
        responses, scores: side (base, tuned) to RESPONSES and SCORES by the first judge.
    """
    if law.judges is None:
        return None
    rows = {side: answers(probes, said) for side, said in responses.items()}
    once = list({row["id"]: row for own in rows.values() for row in own}.values())
    second, facts = _second(ws, law.judges, once)
    sample = law.judges.adversarial_sample if law.risk == "high" else 0
    found = reviewed(rows, scores, second, sample, law.judges.seed)
    labels = read_reviewed(ws.project)
    sides = {side: overridden(scores[side], rows[side], labels) for side in rows}
    queue = _filled_in(found.queue, labels)
    told = {
        "judge": ", ".join(sorted(second["judge"].unique())), "disagreement": dict(found.disagreement),
        "num_answers": dict(found.num_answers), "num_queued": queue.height,
        "num_unread": queue.filter(pl.col("label") == "").height, **facts,
    }  # fmt: skip
    return Twice(
        scores={side: whole for side, (whole, _) in sides.items()}, queue=queue, second=second, found=told,
        read=pl.concat([read for _, read in sides.values()]),
    )  # fmt: skip


def with_second_judge(
    ws: Workspace, law: Policy, probes: pl.DataFrame, responses: Mapping[str, pl.DataFrame],
    scores: Mapping[str, pl.DataFrame], apart: Apart | None,
) -> tuple[Twice | None, Mapping[str, pl.DataFrame], Apart | None]:  # fmt: skip
    """Headline and slices judged twice: what was found, and SCORES by side and slices with people's word in them.

    Without a second judge in the policy everything is given back as it was.
    """
    if apart is None:
        twice = judge_twice(ws, law, probes, responses, scores)
        return twice, (twice.scores if twice else scores), None
    both = {side: pl.concat([scores[side], apart.scores[side]]) for side in scores}
    said = {side: pl.concat([responses[side], apart.responses[side]]) for side in scores}
    twice = judge_twice(ws, law, pl.concat([probes, apart.probes]), said, both)
    if twice is None:
        return None, scores, apart
    inside = pl.col("probe_id").is_in(apart.probes["probe_id"].to_list())
    headline = {side: whole.filter(~inside) for side, whole in twice.scores.items()}
    slices = {side: whole.filter(inside) for side, whole in twice.scores.items()}
    twice = replace(twice, scores=headline)
    return twice, headline, compared_apart(apart.probes, apart.responses, slices, headline, law.probes)


def _filled_in(queue: pl.DataFrame, labels: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    return REVIEW.frame([{**row, **(labels.get(row["id"]) or {})} for row in queue.to_dicts()])


def _second(ws: Workspace, rule: Judges, rows: Rows) -> tuple[pl.DataFrame, Mapping[str, Any]]:
    """VERDICTS in the order of the rows, and further facts. What it said is kept, what it left unscored asked anew."""
    if rule.rail is not None:
        return by_rail_scores(ws, rule.rail, rows)
    before: Kept = kept(ws, "verdicts")
    who = digest_json([rule.model_dump(mode="json", include={"second", "labels"}), _identity(ws, rule)])
    keys = {row["id"]: digest_json([who, row["prompt"], row["completion"]]) for row in rows}
    known = {} if ws.force else before.find(sorted(keys.values()))
    new = [row for row in rows if keys[row["id"]] not in known]
    if new:
        said = {keys[row["id"]]: row for row in _asked(ws, rule, new).to_dicts()}
        known |= said | before.keep({key: row for key, row in said.items() if row["verdict"] != "unscored"})
    return VERDICTS.frame([{**known[keys[row["id"]]], "id": row["id"]} for row in rows]), {}


def _identity(ws: Workspace, rule: Judges) -> list[str]:
    """What decides the judge's verdicts; of an endpoint the day too, since its identity binds no weights."""
    code = sources_version("served", "models.classify", "evals.answer_files", "reading")
    if rule.second == "endpoint":
        return [rule.where, date.today().isoformat(), code]
    return [files_digest(ws.project.path(rule.where)), code]


def _asked(ws: Workspace, rule: Judges, rows: Rows) -> pl.DataFrame:
    with TemporaryDirectory(prefix="safety-assets-judge-") as folder:
        path = Path(folder) / "answers.jsonl"
        asked = [{name: row[name] for name in ("id", "prompt", "completion")} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
        if rule.second == "endpoint":
            return by_endpoint(ws, read_address(rule.where), path).table
        place = ws.project.path(rule.where)
        if rule.second == "classifier":
            return by_classifier(ws, place, rule.labels, path).table
        linear, name = open_judge(place)
        return judge_file(path, name, linear)


def write_twice(folder: Path, twice: Twice) -> None:
    """Write queue, second verdicts, the base's scores with people's word, what people labelled, and the counts."""
    write_frame(folder, "review", twice.queue, REVIEW)
    write_frame(folder, "second_verdicts", twice.second, VERDICTS)
    write_frame(folder, "base_scores", twice.scores["base"], SCORES)
    write_frame(folder, "read_by_people", twice.read, SCORES)
    write_json(folder, "judges", twice.found)


def found_by(scores: Artefact | None) -> Mapping[str, Any] | None:
    """The counts that an eval_scores or external_verdict holds; None where answers were judged once."""
    has = scores is not None and (scores.path / "judges.json").is_file()
    return scores.json("judges") if has and scores is not None else None


def base_scores(scores: Artefact, baseline: Artefact) -> pl.DataFrame:
    """SCORES of the base as the candidate's were compared with them: with people's word where answers were read."""
    held = scores if (scores.path / "base_scores.parquet").is_file() else None
    return held.frame("base_scores", SCORES) if held else baseline.frame("scores", SCORES)


def review_verdicts(found: Mapping[str, Any] | None, law: Policy, recipe: str, why: str = "") -> dict[str, Verdict]:
    """The verdict on the review, where the policy demands a second judge."""
    if law.judges is None:
        return {}
    return {"answers_reviewed": answers_reviewed(found, law.judges, recipe, why)}
