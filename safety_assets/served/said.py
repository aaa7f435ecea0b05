"""The answer in a chat completion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safety_assets.errors import EvaluationError


@dataclass(frozen=True)
class Said:
    """One answer of a served model.

    Args:
        text: without surrounding white space.
        num_tokens: as the server counts them, its end token mostly included; None where it does not say.
        finish: stop or length.
    """

    text: str
    num_tokens: int | None
    finish: str


def said_in(body: Mapping[str, Any]) -> Said:
    """The first choice of a chat completion.

    A model's own refusal is its answer. What a filter in front of it took is none: it is not known what the model says.

    Raises:
        EvaluationError: there is no answer, or a filter took it.
    """
    try:
        choice = body["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason") or "stop"
        text, tokens = message.get("content") or message.get("refusal") or "", _tokens(body)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise EvaluationError(f"the reply holds no answer: {error!r}", expected="choices[0].message") from error
    if finish == "content_filter":
        raise EvaluationError("the provider's filter took the answer, so that it is not known what the model says")
    if finish not in ("stop", "length"):
        raise EvaluationError(f"the reply is no plain answer: finish_reason is {finish!r:.40}")
    if not isinstance(text, str):
        raise EvaluationError(f"the reply is no plain answer: its content is {type(text).__name__}")
    return Said(text.strip(), tokens, finish)


def _tokens(body: Mapping[str, Any]) -> int | None:
    found = (body.get("usage") or {}).get("completion_tokens")
    return found if isinstance(found, int) else None
