"""The fingerprint of released weights: questions, their answers, and how likely each answer is, kept with the release.

It is made when the weights are released, so that whatever changes later (probes, code, the weights' folder), a served
model is held against what was released. Its digest belongs in the record of the release, as `fingerprint`.
"""

from pathlib import Path

import polars as pl

from safety_assets.evals.probes import read_probes
from safety_assets.flows.answers import Respondent, questions_digest
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.targets import Weights
from safety_assets.flows.workspace import Workspace
from safety_assets.records import PROBES, RESPONSES, Table
from safety_assets.store import Artefact, digest_json, write_frame

ASSET = "release_fingerprint"
PROMPTS = 96
"""Questions of a fingerprint."""

LIKELIHOODS = Table("likelihoods", {
    "probe_id": (pl.String, "question"),
    "nats": (pl.Float64, "mean log-probability per token of the weights' own answer, end of turn included"),
})  # fmt: skip


def fingerprint(probes: pl.DataFrame) -> pl.DataFrame:
    """Questions spread evenly over the probes that are answered in words."""
    spoken = probes.filter(pl.col("choices").list.len() == 0).sort("dimension", "probe_id")
    return spoken.gather_every(max(1, spoken.height // PROMPTS)).head(PROMPTS)


def make_fingerprint(ws: Workspace, folder: Path) -> Artefact:
    """The fingerprint of the weights in a folder: made once for these weights and questions.

    Args:
        folder: complete model folder of what is released.

    Returns:
        An artefact with `questions` (PROBES), `answers` (RESPONSES) and `likelihoods` (LIKELIHOODS).
    """
    questions = fingerprint(read_probes(ws.project.probes).filter(pl.col("split") == "gate"))
    target = Weights(ws, folder)
    longest = ws.project.settings.max_new_tokens
    inputs = {"model": target.digest, "probes": questions_digest(questions), "max_new_tokens": digest_json(longest)}
    version = sources_version("models", "evals.ask", "flows.fingerprints")
    key = digest_json([ASSET, inputs, version])

    def write(place: Path) -> None:
        answers = Respondent(ws, target).probes(questions)
        write_frame(place, "questions", questions, PROBES)
        write_frame(place, "answers", answers, RESPONSES)
        write_frame(place, "likelihoods", _likelihoods(target, questions, answers), LIKELIHOODS)

    with ws.store.lock(key, f"the fingerprint of {target.name}"):
        kept = None if ws.force else ws.store.made(key)
        return kept or ws.store.publish(
            ASSET, write, partition=target.digest[:16], inputs=inputs, code_version=version, run_id=ws.run_id, key=key
        )


def _likelihoods(target: Weights, questions: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    chats, texts, ids = asked_with(questions, answers)
    told = target.answerer().choice_logprobs(chats, texts)
    return LIKELIHOODS.frame([
        {"probe_id": probe, "nats": own[0]} for probe, own in zip(ids, told, strict=True) if isinstance(own, list)
    ])  # fmt: skip


def asked_with(
    questions: pl.DataFrame, answers: pl.DataFrame
) -> tuple[list[list[dict[str, str]]], list[list[str]], list[str]]:
    """Chats that got an answer with words in it, those answers, and the ids of both."""
    both = questions.join(answers.select("probe_id", "completion"), on="probe_id", maintain_order="left")
    said = both.filter(pl.col("completion").fill_null("").str.strip_chars() != "")
    return said["messages"].to_list(), [[text] for text in said["completion"]], said["probe_id"].to_list()
