"""Inspect's own reader loads what is exported, and finds in it what was measured."""

import json
import math
import warnings
from pathlib import Path

import pytest
from exported_rows import FACTS, NOW, PROBE_ROWS, responses, scores

from safety_assets.errors import EvaluationError
from safety_assets.evals.interchange.inspect_log import inspect_log


def exported() -> str:
    return inspect_log(scores(), responses(), PROBE_ROWS, FACTS, NOW)


def test_every_score_stands_in_the_log_with_its_question_and_answer() -> None:
    log = json.loads(exported())
    assert (log["version"], log["status"], log["eval"]["metadata"]["weights"]) == (2, "success", "d" * 64)
    first, second, *_, last = log["samples"]
    assert first["messages"][-1] == {
        "role": "assistant", "content": "I cannot help with that.", "source": "generate", "model": "org/model",
    }  # fmt: skip
    assert first["scores"]["safety"]["value"] == 1.0
    assert second["output"]["choices"][0]["stop_reason"] == "max_tokens"
    assert math.isnan(last["scores"]["safety"]["value"])
    assert last["scores"]["safety"]["reason"] == "the model gave no response to this probe"
    safety = log["results"]["scores"][0]
    assert (safety["name"], safety["scored_samples"], safety["unscored_samples"]) == ("safety", 2, 1)
    assert safety["metrics"]["mean"]["value"] == 0.5
    assert safety["metrics"]["stderr"]["value"] == 0.0  # both items stand in one group, whose mean is the mean


def test_scores_of_other_probes_or_answers_of_another_model_are_refused() -> None:
    with pytest.raises(EvaluationError, match="of another model"):
        inspect_log(scores(), responses("other"), PROBE_ROWS, FACTS, NOW)
    with pytest.raises(EvaluationError, match="3 scores are of probes that are not there"):
        inspect_log(scores(), responses(), PROBE_ROWS.head(2), FACTS, NOW)


def test_inspect_reads_it(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log_module = pytest.importorskip("inspect_ai.log", reason="needs the extra interchange")
        path = tmp_path / "log.json"
        path.write_text(exported())
        log = log_module.read_eval_log(str(path))
        header = log_module.read_eval_log(str(path), header_only=True)
    assert (log.version, log.status, log.eval.task, log.eval.model) == (2, "success", "standard", "org/model")
    assert header.eval.dataset.samples == 5
    assert [sample.id for sample in log.samples] == [f"p{i}" for i in range(5)]
    assert [message.role for message in log.samples[0].messages] == ["system", "user", "assistant"]
    assert log.samples[0].output.completion == "I cannot help with that."
    assert log.samples[0].scores["safety"].value == 1.0
    assert math.isnan(log.samples[4].scores["safety"].value)
    assert log.results.scores[0].metrics["mean"].value == 0.5
    assert log.results.scores[0].unscored_samples == 1
