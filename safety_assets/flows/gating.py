"""Gating models that were trained elsewhere: base and checkpoint are asked the same, compared, and decided upon.

Each is a folder or stands behind an endpoint.

Whatever goes wrong on the way is a reason not to certify; nothing is raised and nothing fails open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from safety_assets.errors import SafetyAssetsError
from safety_assets.evals.comparison import Flips
from safety_assets.evals.deltas import compare
from safety_assets.evals.forgotten import Forgotten, forgotten
from safety_assets.evals.probes import (
    enough_probes_to_see_the_budget,
    read_probes,
    read_suite,
    written_for_these_models,
)
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.evals.tasks import score_tasks
from safety_assets.figure_specs import Consistency
from safety_assets.flows.answers import Respondent, questions_digest
from safety_assets.flows.apart import Apart, Ask, apart_verdicts, asked_apart, measure_apart
from safety_assets.flows.candidates import same_template
from safety_assets.flows.check_functions import today
from safety_assets.flows.consistency import Drawn, compared, rated
from safety_assets.flows.figures import Figures, figure_verdicts, measured, tried
from safety_assets.flows.further import further_verdicts
from safety_assets.flows.second_run import second_run
from safety_assets.flows.signed import accepted_losses, lost_categories, signed_files
from safety_assets.flows.sources import digest_settings
from safety_assets.flows.targets import Target, Weights, Where, open_target
from safety_assets.flows.tasks import project_tasks
from safety_assets.flows.two_judges import Twice, review_verdicts, with_second_judge
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import AUDITED, Verdict
from safety_assets.release.closed import not_certified
from safety_assets.release.decision import Decision, Evidence
from safety_assets.release.external import comes_first_holds, decide_external, not_checked, undecided
from safety_assets.release.verdicts import baseline_is_aligned, every_dimension_scored
from safety_assets.served.address import Address


@dataclass(frozen=True, kw_only=True)
class Exam:
    """What both models are asked, and the law that judges the answers.

    Args:
        policy: the law.
        probes: PROBES of the split gate.
        written_for: who made the models that the probes are about; None: they are for any model.
        tasks: TASKS; None demands nothing of a task.
    """

    policy: Policy
    probes: pl.DataFrame
    written_for: str | None = None
    tasks: pl.DataFrame | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Digest of the questions."""
        asked = {"probes": self.probes, "tasks": self.tasks}
        return {name: questions_digest(frame) for name, frame in asked.items() if frame is not None}


def exam_from(folder: Path, policy: Policy, tasks: pl.DataFrame | None = None) -> Exam:
    """The exam that a folder of probes holds: those of the split gate, and for whom they were written."""
    probes = read_probes(folder).filter(pl.col("split") == "gate")
    return Exam(policy=policy, probes=probes, written_for=read_suite(folder).written_for, tasks=tasks)


@dataclass(frozen=True, kw_only=True)
class Examined:
    """One model's answers and what they are worth: RESPONSES, SCORES, DIMENSION_SCORES, TASK_SCORES or None."""

    model: str
    responses: pl.DataFrame
    scores: pl.DataFrame
    dimension_scores: pl.DataFrame
    task_scores: pl.DataFrame | None


@dataclass(kw_only=True)
class Findings:
    """What is known of one checkpoint, as far as the measurement got.

    Args:
        name: what the checkpoint is called.
        exam: what is asked.
        base, tuned: what the two models said; None until they were asked.
        deltas: DELTAS of the checkpoint against the base; None until both were asked.
        null: flips of the base against itself, of some probes; None until both were asked, or where it says no more.
        forgotten: what the base did and the checkpoint no longer does.
        apart: slices that the policy has gated apart; None where nothing was asked.
        not_apart: why they could not be measured; empty where they were.
        twice: what two judges say; None where the policy demands one.
        not_twice: why the answers could not be judged twice; empty where they were.
        first: verdicts on what comes first, by name.
        digests: of both models and of the questions.
        figures: what the policy asks for beside the scores; None until both were asked.
        unread: checks of weights that stand behind an endpoint: they stay open while the rest is measured.
    """

    name: str
    exam: Exam
    base: Examined | None = None
    tuned: Examined | None = None
    deltas: pl.DataFrame | None = None
    null: Flips | None = None
    forgotten: Forgotten | None = None
    apart: Apart | None = None
    not_apart: str = ""
    twice: Twice | None = None
    not_twice: str = ""
    first: dict[str, Verdict] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    figures: Figures | None = None
    unread: tuple[str, ...] = ()

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What the verdict does not cover, in sentences."""
        return not_checked(with_task=self.exam.tasks is not None, served=bool(self.unread))


@dataclass(frozen=True, kw_only=True)
class Gated:
    """A decision with what it rests on."""

    findings: Findings
    decision: Decision


def gate(ws: Workspace, base: Where, tuned: Where, exam: Exam) -> Gated:
    """The decision on the model in `tuned`, measured against the one in `base`.

    The cheap questions come first: a probe set that cannot decide, a folder that is no model, damaged weights and a
    base that is not aligned end it before the checkpoint is asked anything.

    Args:
        ws: keeps the answers, so that ten checkpoints ask their base once; its project says who signed.
        base: the aligned model that the checkpoint started from: a complete model folder, or an endpoint.
        tuned: complete model folder, an adapter to that base, or an endpoint.
        exam: probes, tasks and law.
    """
    sides = {"base_weights_sound": base, "weights_sound": tuned}
    unread = tuple(name for name, side in sides.items() if isinstance(side, Address))
    found = Findings(name=_called(tuned), exam=exam, digests=exam.digests, unread=unread)
    try:
        _measure(ws, base, tuned, found)
    except Exception as error:  # whatever goes wrong must not let anything pass
        said = str(error) if isinstance(error, SafetyAssetsError) else f"{type(error).__name__}: {error}"
        found.first["measured"] = not_certified("measured", said)
    beside = _beside(ws, found)
    evidence, with_task = _evidence(ws, found, beside), exam.tasks is not None
    decision = decide_external(evidence, exam.policy, with_task=with_task, open_ones=(*unread, *beside))
    return Gated(findings=found, decision=decision)


def _called(where: Where) -> str:
    return (where.model or where.url) if isinstance(where, Address) else where.resolve().name


def _measure(ws: Workspace, base: Where, tuned: Where, found: Findings) -> None:
    """Everything in the order of its cost; it ends where something that comes first does not hold."""
    exam, anchor = found.exam, open_target(ws, base)
    _first(found, "enough_probes_to_see_the_budget", enough_probes_to_see_the_budget(exam.probes, exam.policy))
    found.digests["base"] = anchor.digest
    _first(found, "written_for_these_models", written_for_these_models(exam.written_for, [anchor.made_by]))
    _first(found, "base_weights_sound", anchor.soundness(exam.policy, today()))
    candidate = open_target(ws, tuned, base)
    found.digests["tuned"] = candidate.digest
    _first(found, "weights_sound", candidate.soundness(exam.policy, today()))
    if not found.unread:
        _first(found, "chat_templates", same_template(anchor.template, candidate.template))
    base_said, tuned_said = Respondent(ws, anchor), Respondent(ws, candidate)
    if comes_first_holds(found.first, found.unread):
        found.base = examine(base_said, exam)
        scores = found.base.dimension_scores
        _first(found, "base_every_dimension_scored", every_dimension_scored(scores, exam.policy.probes))
        _first(found, "baseline_is_aligned", baseline_is_aligned(scores, exam.policy.dimensions, today()))
    if comes_first_holds(found.first, found.unread):
        found.tuned = examine(tuned_said, exam)
    if found.base and found.tuned:
        found.null = second_run(ws, base_said.answerer, exam.probes, found.base.scores)
        _measure_apart(ws, found, {"base": base_said.probes, "tuned": tuned_said.probes})
        _judge_twice(ws, found, {"base": found.base, "tuned": found.tuned})
        _compare(found)
        found.figures = _figures(ws, anchor, candidate, exam)


def _measure_apart(ws: Workspace, found: Findings, asks: Mapping[str, Ask]) -> None:
    """The slices that the policy has gated apart; where they cannot be measured, their verdicts say why."""
    exam, headline = found.exam, {"base": found.base.scores, "tuned": found.tuned.scores}  # type: ignore[union-attr]
    try:
        asked = asked_apart(
            exam.probes, lambda: _tasks(ws, exam), exam.policy.probes, ws.project.settings.system_prompt
        )
        found.apart = None if asked.is_empty() else measure_apart(asked, asks, headline, exam.policy.probes)
    except SafetyAssetsError as error:
        found.not_apart = str(error)


def _judge_twice(ws: Workspace, found: Findings, sides: Mapping[str, Examined]) -> None:
    """The second judge where the policy demands one, and people's word in the scores of both."""
    exam = found.exam
    responses = {side: one.responses for side, one in sides.items()}
    headline = {side: one.scores for side, one in sides.items()}
    try:
        found.twice, scores, found.apart = with_second_judge(
            ws, exam.policy, exam.probes, responses, headline, found.apart
        )
    except SafetyAssetsError as error:
        found.not_twice = str(error)
        return
    found.base, found.tuned = (
        replace(sides[side], scores=scores[side], dimension_scores=summarise(scores[side], DIMENSIONS))
        for side in ("base", "tuned")
    )


def _tasks(ws: Workspace, exam: Exam) -> pl.DataFrame:
    """Conversations for in-domain probes: of the task set that was given, else of the project's."""
    return project_tasks(ws.project) if exam.tasks is None else exam.tasks


def _first(found: Findings, name: str, verdict: Verdict) -> None:
    found.first[name] = undecided(name, verdict)


def examine(asked: Respondent, exam: Exam) -> Examined:
    """Ask one model everything, or take what it said before, and score it."""
    responses = asked.probes(exam.probes)
    scores = judge(exam.probes, responses)
    tasks = None
    if exam.tasks is not None:
        tasks = score_tasks(exam.tasks, asked.tasks(exam.tasks), asked.ws.project.settings.task_metric)
    return Examined(
        model=asked.digest,
        responses=responses,
        scores=scores,
        dimension_scores=summarise(scores, DIMENSIONS),
        task_scores=tasks,
    )


def _compare(found: Findings) -> None:
    """Deltas with paired intervals, and what was forgotten; causes are not looked for: the corpus is not at hand."""
    if not (base := found.base) or not (tuned := found.tuned):
        return
    within = {name: rule.certify_within for name, rule in found.exam.policy.dimensions.items()}
    found.deltas = compare(base.scores, tuned.scores, DIMENSIONS, within)
    found.forgotten = forgotten(
        base.scores, tuned.scores, found.exam.probes, base.responses, tuned.responses, AUDITED.empty()
    )


def _figures(ws: Workspace, base: Target, tuned: Target, exam: Exam) -> Figures:
    """What the policy asks for beside the scores; behind an endpoint verdicts over draws alone can be measured."""
    if isinstance(base, Weights) and isinstance(tuned, Weights):
        return measured(ws, exam.policy, base.folder, tuned.folder, exam.probes)
    why = "a model behind an endpoint gives no likelihoods of its own and is not served on this machine."
    found = Figures()
    if (rule := exam.policy.consistency) is not None:
        found = tried(ws, {"consistency": lambda: _drawn(ws, rule, exam, {"base": base, "candidate": tuned})})
    return Figures(found.tables, {"exposures": why, "serving": why, **found.absent})


def _drawn(ws: Workspace, rule: Consistency, exam: Exam, sides: Mapping[str, Target]) -> dict[str, pl.DataFrame]:
    judges, probes = exam.policy.judges, exam.probes
    models = {side: Drawn(ws, target.to_ask()) for side, target in sides.items()}
    return compared({side: rated(ws, rule, judges, probes, model) for side, model in models.items()})


def _beside(ws: Workspace, found: Findings) -> dict[str, Verdict]:
    """Verdicts on what is measured beside the eight dimensions, by name; they refuse, and keep no other from being
    judged."""
    base, tuned, law = found.digests.get("base"), found.digests.get("tuned"), found.exam.policy
    signed = signed_files(ws.project, law)
    apart = apart_verdicts(found.apart, law, today(), found.not_apart, signed.waivers(tuned))
    judged = review_verdicts(found.twice.found if found.twice else None, law, found.name, found.not_twice)
    return further_verdicts(ws, base, tuned, law, signed) | apart | judged | figure_verdicts(found.figures, law)


def _evidence(ws: Workspace, found: Findings, beside: Mapping[str, Verdict]) -> Evidence:
    """What is known as the decision takes it; what belongs to a training run of this project is None."""
    signed, base, tuned = signed_files(ws.project, found.exam.policy), found.base, found.tuned
    weights = found.digests.get("tuned")
    return Evidence(
        recipe=found.name,
        today=today(),
        deltas=found.deltas,
        scores=tuned.dimension_scores if tuned else None,
        task_scores=tuned.task_scores if tuned else None,
        baseline_task_scores=base.task_scores if base else None,
        over_refusal=over_refusal(tuned.scores) if tuned else None,
        weights_now=weights,
        weights_scored={"scores": tuned.model} if tuned else {},
        policy_trained=None,
        policy_now=digest_settings(found.exam.policy),
        problems=None,
        lost_categories=lost_categories(found.forgotten.categories if found.forgotten else None),
        signed=signed,
        accepted_losses=accepted_losses(signed, found.forgotten.items if found.forgotten else None, weights),
        upstream=found.first | dict(beside),
        digests=found.digests,
    )
