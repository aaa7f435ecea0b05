"""A judge behind an endpoint: what begins with a mark, as the tiny model often does, declines; nothing else does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from model_server import Plan, completion, serving

MARKED = "ecaecaeca"


def answer(body: dict, logprobs: bool) -> dict:
    asked = body["messages"][-1]["content"]
    if not asked.startswith("{"):
        return completion("a question of the fingerprint")
    verdict = "full_refusal" if json.loads(asked)["answer"].startswith(MARKED) else "non_answer"
    return completion(json.dumps({"verdict": verdict, "why": "It begins so."}))


@contextmanager
def judging() -> Iterator[dict]:
    """What the policy says of it."""
    with serving(answer, Plan()) as server:
        yield {"second": "endpoint", "where": str(server.address)}
