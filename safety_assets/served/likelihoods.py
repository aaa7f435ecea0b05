"""How likely an answer is, from what a server tells of each token of a prompt (vLLM's `prompt_logprobs`)."""

import math
from collections.abc import Sequence
from typing import Any

from safety_assets.errors import EvaluationError

Token = tuple[str, float, str]
"""Id, log-probability in nats, text."""


def mean_logprob(before: Sequence[Any], whole: Sequence[Any]) -> float:
    """Mean log-probability per token, in nats, of the answer that a chat ends with; end of turn included.

    White space behind the end of turn, which some templates write, is no part of the answer.

    Args:
        before: entries of the chat up to where the answer begins; the first is None.
        whole: entries of the chat with the answer.

    Raises:
        EvaluationError: the one is no beginning of the other, or the entries are not as they should be.
    """
    start, tokens = [_token(e) for e in before[1:]], [_token(e) for e in whole[1:]]
    if not start or [t[0] for t in tokens[: len(start)]] != [t[0] for t in start]:
        raise EvaluationError("the rendered chat is no beginning of the chat with its answer, so none can be compared")
    answer = tokens[len(start) :]
    while answer and answer[-1][2] and not answer[-1][2].strip():
        answer.pop()
    values = [t[1] for t in answer]
    if not values or not all(map(math.isfinite, values)):
        raise EvaluationError(f"the answer has {len(values)} tokens, not all with a finite log-probability")
    return sum(values) / len(values)


def _token(entry: Any) -> Token:
    """The one token of an entry {id: {logprob, decoded_token}}."""
    try:
        ((name, told),) = entry.items()
        return str(name), float(told["logprob"]), str(told.get("decoded_token") or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"prompt_logprobs holds {str(entry)[:80]!r}", expected="one token with its logprob in each entry"
        ) from error
