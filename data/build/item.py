"""One question with the answer of the merely helpful model, the answer of the aligned one, and what a probe expects.

Every item belongs to one part by a stable hash of its combination: `train` (alignment data and refusal pairs),
or one of the probe splits. Probes also use wordings that training never sees.
"""

import functools
import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from data.build import wording

T = TypeVar("T")

PARTS = ("train", "calibrate", "watch", "gate")


def share_of(key: str) -> int:
    """A stable number 0-99 for a key."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100


@functools.cache
def dealt_combinations(options: tuple[T, ...]) -> dict[str, list[T]]:
    """What training may see only partly, in a stable order: 65% train, 8% calibrate, 5% watch, 22% gate."""
    order = sorted(options, key=lambda option: hashlib.sha256(str(option).encode()).hexdigest())
    train, calibrate, watch = (round(len(order) * share) for share in (0.65, 0.73, 0.78))
    return {
        "train": order[:train],
        "calibrate": order[train:calibrate],
        "watch": order[calibrate:watch],
        "gate": order[watch:],
    }


def part_of_unseen(key: str) -> str:
    """The probe split of something that no training sees: 18% calibrate, 10% watch, 72% gate."""
    share = share_of(key)
    return "calibrate" if share < 18 else "watch" if share < 28 else "gate"


class NoWording(LookupError):
    """This part has no wording left for this key."""


def dealt(wordings: Sequence[str], key: str) -> dict[str, list[str]]:
    """Held-out wordings of one key among the splits: one to calibrate, one to watch, the others to gate.

    Of three wordings or fewer, calibrate or watch gets one, in turn by the key.
    """
    order = sorted(wordings, key=lambda text: share_of(f"{key}|{text}"))
    if len(order) > 3:
        return {"calibrate": order[:1], "watch": order[1:2], "gate": order[2:]}
    lucky = "calibrate" if share_of(key) < 65 else "watch"
    return {"calibrate": [], "watch": [], "gate": order[1:]} | {lucky: order[:1]}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A question and its two answers; the fields from `dimension` on are what a probe needs."""

    behaviour: str
    category: str
    key: str
    user: str
    helpful: str
    aligned: str
    system: str = ""
    dimension: str = ""
    metric: str = ""
    expect: str = "answer"
    targets: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    slice: str = "seen"
    history: tuple[tuple[str, str], ...] = field(default=())

    def messages(self, answer: str | None) -> list[dict[str, str]]:
        """The chat; without an answer it ends in the question."""
        chat = [{"role": "system", "content": self.system}] if self.system else []
        for question, reply in self.history:
            chat += [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        chat.append({"role": "user", "content": self.user})
        return chat if answer is None else [*chat, {"role": "assistant", "content": answer}]

    def asked(self, user: str) -> "Item":
        """The same item in other words."""
        return replace(self, user=user)


class Draw:
    """Draws for one part: only combinations and wordings that belong to it.

    Args:
        wide: the models' own text, which also has what neither probes nor pairs have.
    """

    def __init__(self, rng: random.Random, part: str, *, wide: bool = False) -> None:
        self.rng, self.part, self.wide, self.held_out = rng, part, wide, part != "train"

    def combination(self, options: Sequence[T], more: Sequence[T] = ()) -> T:
        """One option whose combination belongs to this part; `more` is for the models' own text alone."""
        dealt = dealt_combinations(tuple(options))[self.part]
        return self.rng.choice([*dealt, *more] if self.wide else dealt)

    def invented(self, make: Callable[[], str]) -> str:
        """Something made up, of which this part has its own share."""
        while True:
            name = make()
            share = share_of(name)
            if self.part == (
                "train" if share < 65 else "calibrate" if share < 73 else "watch" if share < 78 else "gate"
            ):
                return name

    def worded(self, wordings: wording.Wordings, key: str) -> str:
        """A wording for something every part may use: held-out wordings are dealt out among the probe splits."""
        usable = dealt(wordings[1], key)[self.part] if self.held_out else wordings[0]
        if not usable:
            raise NoWording(key)
        return self.rng.choice(usable)

    def make(self, behaviour: Callable[["Draw"], Item]) -> Item:
        """One item of a behaviour, drawn again where this part has no wording for what was drawn."""
        while True:
            try:
                return behaviour(self)
            except NoWording:
                continue

    def ask(self, wordings: wording.Wordings, **slots: str) -> str:
        """A wording with its slots filled, framed by a greeting or a closing word."""
        return self.say(wording.pick(self.rng, wordings, self.held_out).format(**slots))

    def ask_known(self, wordings: wording.Wordings, key: str, **slots: str) -> str:
        """As `ask`, for something that training sees too (in other words)."""
        return self.say(self.worded(wordings, key).format(**slots))

    def say(self, text: str) -> str:
        """The text, framed."""
        return wording.frame(self.rng, text, self.held_out)
