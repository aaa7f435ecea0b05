"""A model that counts what it is asked, for tests of what is remembered; called as a program it answers and prints."""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from safety_assets.evals.kept import Kept
from safety_assets.evals.remembered import Remembered, Said, Target

HOW = {"dtype": "float32", "decoding": "greedy"}


class Counted:
    """Answers with its own name and the prompt; `asked` holds every prompt in order."""

    def __init__(self, model: str = "m", voice: str = "", finish: str = "stop", seconds: float = 0.0) -> None:
        self.model, self.voice, self.finish, self.seconds = model, voice, finish, seconds
        self.asked: list[str] = []

    def generate(self, chats: Sequence, max_new_tokens: int) -> list[Said]:
        time.sleep(self.seconds)
        prompts = [chat[-1]["content"] for chat in chats]
        self.asked += prompts
        return [Said(f"{self.model}{self.voice} {p}"[:max_new_tokens], len(p), self.finish) for p in prompts]

    def choice_logprobs(self, chats: Sequence, choices: Sequence[Sequence[str]]) -> list[list[float]]:
        self.asked += [chat[-1]["content"] for chat in chats]
        return [[-len(choice) / 3 for choice in own] for own in choices]


def target(model: Counted, how: dict | None = None, at_once: int = 4) -> Target:
    return Target(
        name=model.model, model=model.model, how=how or HOW, open=lambda told: model, at_once=at_once,
        rendered=lambda chats: [f"<user>{chat[-1]['content']}<assistant>" for chat in chats],
    )  # fmt: skip


def chats(number: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"question {i}"}] for i in range(number)]


def main(path: str, number: str, seconds: str) -> None:
    """Answer so many questions, each part slowly, and print the answers; a line is printed after each part."""
    model = Counted(voice=f"-{os.getpid()}", seconds=float(seconds))

    def told(done: int, of: int) -> None:
        print(json.dumps({"done": done, "of": of}), flush=True)

    asked = Remembered(target(model), Kept(Path(path), "answers"), told=told)
    said = asked.generate(chats(int(number)), 100)
    print(json.dumps({"said": [one.text for one in said], "asked": len(model.asked)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
