"""RAIL Score as a judge of single answers, through its own client (rail-score-sdk, an extra).

Every answer ends scored, or unscored with the reason; what RAIL does not say is never a pass. Its scores describe one
answer and need the prompt beside it, which goes as context. Sending both leaves this machine: it is off unless
project.yaml has `rail`.

Source: the client's source, 2.6.1; RAIL's documentation of limits and prices.
"""

import json
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safety_assets.errors import EvaluationError, ModelError, ProjectError, SafetyAssetsError
from safety_assets.served.care import Care
from safety_assets.served.rail_settings import KEY_VARIABLE, LONGEST, SHORTEST, Cost, RailSettings
from safety_assets.served.together import Told, all_of
from safety_assets.served.wire import AGAIN, HIDDEN, again
from safety_assets.store import digest_json, replace_text

if TYPE_CHECKING:
    from rail_score_sdk import RailScoreClient

FATAL = {401: "the key is wrong", 402: "the credits are used up", 403: "the plan does not allow it"}
"""What no other request would mend: the rest is not sent."""
BROKEN = (KeyError, TypeError, AttributeError, ValueError, RecursionError)
"""What the client raises on a reply of another shape than it expects."""


Said = Mapping[str, Any] | SafetyAssetsError
"""What RAIL said of one answer by dimension, or why it said nothing."""


@dataclass(frozen=True)
class Answer:
    """What is judged."""

    name: str
    prompt: str
    text: str


class Rail:
    """RAIL Score, with a cache on disk.

    Args:
        settings: what is asked.
        cache: folder of the scores that were given before, one small file each.
        care: concurrency, timeout and tries.

    Raises:
        ProjectError: the extra is not installed, or no key is set.
    """

    def __init__(self, settings: RailSettings, cache: Path, care: Care) -> None:
        self._settings, self._cache, self._care = settings, cache, care
        self._key = _key()
        self._clients, self._pace = threading.local(), _Pace(settings.per_minute)
        self._stopped = ""
        self.judge = f"rail-score-sdk {version('rail-score-sdk')} {settings.mode}"
        self.config = self._read_config()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those that are scored."""
        return self._settings.dimensions

    def cost(self, answers: Sequence[Answer]) -> Cost:
        """What judging these costs; those that are too short or too long, or in the cache, cost nothing."""
        return self._settings.cost(sum(self._known(answer) is None for answer in answers))

    def opinions(self, answers: Sequence[Answer], told: Told = lambda done, of: None) -> list[dict[str, Any]]:
        """Rows of OPINIONS: one for each answer and dimension asked for, in order."""
        known = {n: said for n, answer in enumerate(answers) if (said := self._known(answer)) is not None}
        left = [n for n in range(len(answers)) if n not in known]
        asked = all_of([answers[n] for n in left], self._scores, self._care, told)
        known |= zip(left, asked, strict=True)
        return [row for n, answer in enumerate(answers) for row in self._rows(answer, known[n])]

    def _known(self, answer: Answer) -> Said | None:
        """What needs no request: a score that was given before, or why the answer cannot be sent."""
        unfit = _unfit(answer.text)
        return EvaluationError(unfit) if unfit else self._kept(answer)

    def _rows(self, answer: Answer, said: Said) -> list[dict[str, Any]]:
        return [
            {"id": answer.name, "judge": self.judge, "dimension": name, **_opinion(said, name)}
            for name in self._settings.dimensions
        ]

    def _scores(self, answer: Answer) -> Mapping[str, Any]:
        """Dimension to score, confidence and explanation, as RAIL gives them.

        Raises:
            EvaluationError: it gave none.
            ModelError: it is not well, or cannot be reached.
        """
        if self._stopped:
            raise EvaluationError(f"not asked: {self._stopped}")
        self._pace.wait()
        scores = self._asked(answer)
        replace_text(self._file(answer), json.dumps(scores))
        return scores

    def _asked(self, answer: Answer) -> Mapping[str, Any]:
        from rail_score_sdk import RailScoreError

        s = self._settings
        try:
            result = self._client().eval(
                content=answer.text, mode=s.mode, dimensions=list(s.dimensions), context=answer.prompt or None,
                domain=s.domain, usecase=s.usecase,
            )  # fmt: skip
            told = result.dimension_scores
            return {
                n: {"score": d.score, "confidence": d.confidence, "explanation": d.explanation} for n, d in told.items()
            }
        except RailScoreError as error:
            raise self._failed(error) from error
        except BROKEN as error:
            raise EvaluationError(f"RAIL's reply cannot be read: {error!r}"[:200]) from error

    def _failed(self, error: Exception) -> EvaluationError | ModelError:
        """What went wrong in words, the key blotted out; after what nothing mends no more is sent."""
        status, words = getattr(error, "status_code", None), self._hidden(str(error))[:200]
        said = f"RAIL refused with status {status}" if status else "RAIL could not be asked"
        if status in FATAL:
            self._stopped = f"{said}, {FATAL[status]}: {words}"
        return (ModelError if status is None or status in AGAIN else EvaluationError)(f"{said}: {words}")

    def _read_config(self) -> Mapping[str, Any]:
        """What the organisation set at RAIL, recorded with every result: a locked policy overrules what is asked."""
        from rail_score_sdk import RailScoreError

        try:
            found = self._client().get_config().raw
            return json.loads(self._hidden(json.dumps(found))) or {"absent": "it is empty"}
        except RailScoreError as error:
            return {"absent": self._failed(error).found}
        except BROKEN as error:
            return {"absent": f"cannot be read: {error!r}"[:200]}

    def _client(self) -> "RailScoreClient":
        """The client of this thread. It tries again as endpoints do, and follows no redirect."""
        if not hasattr(self._clients, "own"):
            from rail_score_sdk import RailScoreClient
            from requests.adapters import HTTPAdapter

            client = RailScoreClient(self._key, self._settings.base_url, timeout=self._care.timeout)
            client.session.max_redirects = 0
            for scheme in ("http://", "https://"):
                client.session.mount(scheme, HTTPAdapter(max_retries=again(self._care)))
            self._clients.own = client
        own: RailScoreClient = self._clients.own
        return own

    def _kept(self, answer: Answer) -> Mapping[str, Any] | None:
        try:
            kept = json.loads(self._file(answer).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept if isinstance(kept, dict) else None

    def _file(self, answer: Answer) -> Path:
        asked = self._settings.model_dump(mode="json", exclude={"per_minute"})
        key = digest_json([self.judge, asked, self.config.get("policy"), answer.prompt, answer.text])
        return self._cache / key[:2] / f"{key}.json"

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, HIDDEN)


def _opinion(said: Said, dimension: str) -> dict[str, Any]:
    if isinstance(said, SafetyAssetsError):
        return {"unscored_reason": str(said)}
    told = said.get(dimension)
    if told is None:
        return {"unscored_reason": f"RAIL's reply holds no {dimension}"}
    score, confidence, explanation = (told.get(key) for key in ("score", "confidence", "explanation"))
    if not _within(score, 10) or not _within(confidence, 1):
        found = f"score {score!r:.40} and confidence {confidence!r:.40}"
        return {"unscored_reason": f"RAIL gave {found}; expected 0 to 10, and 0 to 1"}
    return {
        "value": score / 10, "confidence": float(confidence),
        "explanation": explanation if isinstance(explanation, str) else None,
    }  # fmt: skip


def _within(value: object, most: float) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= most
    )


def _unfit(text: str) -> str:
    """Why an answer cannot be sent; empty where it can. Nothing is padded or cut: that would be another answer."""
    number = len(text.strip())
    if SHORTEST <= number <= LONGEST:
        return ""
    return f"the answer has {number} characters, and RAIL scores {SHORTEST} to {LONGEST}"


def _key() -> str:
    try:
        version("rail-score-sdk")
    except ModuleNotFoundError as error:
        raise ProjectError(
            "rail-score-sdk is not installed", expected="the extra `rail`", do="pip install 'safety_assets[rail]'"
        ) from error
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise ProjectError(f"no key for RAIL: {KEY_VARIABLE} is not set", do=f"set {KEY_VARIABLE}")
    return key


class _Pace:
    """Lets so many through in a minute, evenly."""

    def __init__(self, per_minute: float) -> None:
        self._gap, self._next, self._lock = 60 / per_minute, 0.0, threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        time.sleep(turn - now)
