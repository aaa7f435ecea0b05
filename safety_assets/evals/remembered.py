"""A model whose answers are remembered: it is opened only for what it was not asked before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from safety_assets.errors import ModelError
from safety_assets.evals.ask import Answerer, Chat
from safety_assets.evals.kept import Kept
from safety_assets.store import digest_json

FINISHED = ("stop", "length")
"""How an answer ends that may be kept; anything else (a dropped connection) is asked again."""


Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Said:
    """One answer, generated now or before."""

    text: str
    num_tokens: int
    finish: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """A model that can be asked, without having been opened.

    Args:
        name: for people.
        model: identity digest of all that stands behind the prompt.
        how: what decides an answer besides model, prompt and its length: dtype, decoding, code.
        rendered: chats to the prompts that the model will read.
        open: loads or reaches the model; it may tell how much of a call is done, and of how much.
        at_once: chats that are asked, and kept, together.
    """

    name: str
    model: str
    how: Mapping[str, object]
    rendered: Callable[[Sequence[Chat]], list[str]]
    open: Callable[[Told], Answerer]
    at_once: int = 512


class Remembered:
    """An `Answerer` that asks its target only what is not kept yet, and keeps each part as soon as it is answered.

    Args:
        target: the model.
        kept: answers of any models, shared by processes.
        sample: index of the sample; greedy decoding has one, 0.
        again: ask everything anew, and keep that instead.
        told: takes how many of the questions of a call are answered, and how many there are.
    """

    def __init__(
        self,
        target: Target,
        kept: Kept,
        *,
        sample: int = 0,
        again: bool = False,
        told: Told = lambda done, of: None,
    ) -> None:
        self.target, self.kept, self.sample, self.again, self.told = target, kept, sample, again, told
        self.num_asked = self.num_remembered = 0
        self._done = self._part_size = self._of = 0

    @property
    def model(self) -> str:
        """Identity digest of the model."""
        return self.target.model

    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> list[Said]:
        """The answer to each chat, in order, at most so many tokens long."""
        prompts = self.target.rendered(chats)
        keys = [self._key({"prompt": prompt, "max_new_tokens": max_new_tokens}) for prompt in prompts]

        def ask(places: Sequence[int]) -> list[Any]:
            said = self.live.generate([chats[i] for i in places], max_new_tokens)
            return [asdict(Said(one.text, one.num_tokens, one.finish)) for one in said]

        return [Said(**value) for value in self._answers(keys, prompts, ask)]

    def choice_logprobs(self, chats: Sequence[Chat], choices: Sequence[Sequence[str]]) -> list[list[float]]:
        """Log-likelihoods of the choices of each chat, as the target gives them."""
        prompts = self.target.rendered(chats)
        keys = [self._key({"prompt": p, "choices": list(own)}) for p, own in zip(prompts, choices, strict=True)]

        def ask(places: Sequence[int]) -> list[Any]:
            return self.live.choice_logprobs([chats[i] for i in places], [choices[i] for i in places])

        return self._answers(keys, prompts, ask)

    def _key(self, asked: Mapping[str, object]) -> str:
        return digest_json({"model": self.model, "how": dict(self.target.how), "sample": self.sample, **asked})

    def _answers(
        self, keys: Sequence[str], prompts: Sequence[str], ask: Callable[[Sequence[int]], list[Any]]
    ) -> list[Any]:
        """The value of each key: what is kept, and for the rest, in parts, what the model says.

        The longest prompts come first: where one is too long, or memory too small, that shows at once.
        """
        known = {} if self.again else self.kept.find(list(dict.fromkeys(keys)))
        first = {key: place for place, key in reversed(list(enumerate(keys)))}
        self.num_remembered += len(known)
        missing = [key for key in first if key not in known]
        missing.sort(key=lambda key: len(prompts[first[key]]), reverse=True)
        for start in range(0, len(missing), self.target.at_once):
            part = missing[start : start + self.target.at_once]
            self._done, self._part_size, self._of = len(known), len(part), len(first)
            known |= self._part(part, first, ask)
            self.told(len(known), len(first))
        return [known[key] for key in keys]

    def _part(
        self, keys: Sequence[str], places: Mapping[str, int], ask: Callable[[Sequence[int]], list[Any]]
    ) -> dict[str, Any]:
        """Values of a part; another process may have answered some of it in the meantime."""
        known = {} if self.again else self.kept.find(keys)
        self.num_remembered += len(known)
        left = [key for key in keys if key not in known]
        if not left:
            return known
        said = dict(zip(left, ask([places[key] for key in left]), strict=True))
        self.num_asked += len(said)
        whole = {key: value for key, value in said.items() if _whole(value)}
        return known | said | self.kept.keep(whole, again=self.again)

    def _told_within(self, done: int, of: int) -> None:
        """How far a part is, as a number of the questions of the whole call."""
        self.told(self._done + done * self._part_size // max(of, 1), max(self._of, 1))

    @cached_property
    def live(self) -> Answerer:
        """The model itself, opened once: it remembers nothing.

        Raises:
            ModelError: it is another one than was named.
        """
        opened = self.target.open(self._told_within)
        if opened.model != self.target.model:
            raise ModelError(
                f"{self.target.name} answers with {opened.model[:12]}", expected=f"{self.target.model[:12]}, as before",
                do="ask again: the model changed while it was opened",
            )  # fmt: skip
        return opened


def _whole(value: Any) -> bool:
    """Whether an answer is one, and no accident on the way."""
    return not isinstance(value, Mapping) or value["finish"] in FINISHED
