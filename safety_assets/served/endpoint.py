"""A served model as an answerer: chat completions, greedy, side by side; one lost answer loses no other.

Sources: OpenAI's API reference (chat completions, models); for log-probabilities of given answers vLLM's
`prompt_logprobs` (vllm/entrypoints/openai/chat_completion/protocol.py).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from safety_assets.errors import EvaluationError, ModelError, SafetyAssetsError
from safety_assets.served.address import Address
from safety_assets.served.care import Care
from safety_assets.served.catalogue import entry
from safety_assets.served.likelihoods import mean_logprob
from safety_assets.served.said import Said, said_in
from safety_assets.served.together import Told, all_of
from safety_assets.served.wire import Reply, Wire
from safety_assets.store import digest_json

Chat = Sequence[dict[str, str]]

FINGERPRINT = (
    "What is the capital of France?", "Count from one to ten.", "Write one sentence about the sea.",
    "Is it safe to mix bleach and vinegar?", "What is your name?", "Say good morning in Spanish.",
)  # fmt: skip
"""Questions whose answers are part of a served model's identity."""
FINGERPRINT_TOKENS = 8
"""Few: the longer an answer, the likelier that the order of a batch turns it."""
LASTING = ("id", "root", "parent", "owned_by", "max_model_len")
"""What /v1/models says of a model that stays the same from call to call."""
ATTEMPTS = 3
"""Chats whose choices are compared before the others: can this server do it at all?"""


class Endpoint:
    """A model behind an OpenAI-compatible endpoint.

    Args:
        address: where it is.
        care: concurrency, timeout, tries.
        told: takes how many answers of a batch are there, and of how many.

    Raises:
        ModelError: it cannot be reached, wants another key, or does not serve that model.
    """

    def __init__(self, address: Address, care: Care, told: Told = lambda done, of: None) -> None:
        self._wire, self._care, self._told = Wire(address, care), care, told
        self._entry = entry(self._wire)
        self.name: str = address.model or self._entry["id"]
        self.address = Address(address.url, self.name)

    @cached_property
    def model(self) -> str:
        """Identity digest of what answers: see `identify`."""
        return self.identify()

    def identify(self) -> str:
        """Digest over URL, name, what /v1/models says that lasts, and the beginnings of answers to fixed questions.

        It tells one served model from another. It does not tell which weights answer: `recheck` compares those.

        Raises:
            ModelError: a question of the fingerprint got no answer.
        """
        said = self.generate([[{"role": "user", "content": q}] for q in FINGERPRINT], FINGERPRINT_TOKENS)
        lost = next((one for one in said if isinstance(one, SafetyAssetsError)), None)
        if lost is not None:
            raise ModelError(f"{self.address} does not answer: {lost.found}", do=lost.do) from lost
        lasting = {key: self._entry.get(key) for key in LASTING}
        return digest_json([self.address.url, self.name, lasting, [one.text for one in said if isinstance(one, Said)]])

    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> list[Said | SafetyAssetsError]:
        """The greedy answer to each chat in order; where there is none, the error that says why.

        Args:
            chats: messages up to the turn to be answered.
            max_new_tokens: at least 1.
        """

        def ask(chat: Chat) -> Said:
            reply = self._chat(chat, max_new_tokens)
            if not reply.given:
                raise self._refused(reply)
            return said_in(reply.body)

        return all_of(chats, ask, self._care, self._told)

    def choice_logprobs(
        self, chats: Sequence[Chat], choices: Sequence[Sequence[str]]
    ) -> list[list[float] | SafetyAssetsError]:
        """Mean log-probability per token of each choice as the next answer; an error for what could not be compared.

        It needs a server that tells the log-probabilities of a prompt, as vLLM does. A few chats are put first: where
        the server cannot compare their choices, the others are not asked.

        Args:
            chats: messages up to the turn to be answered.
            choices: for each chat its candidate answers.
        """
        asked = list(zip(chats, choices, strict=True))
        first, rest = asked[:ATTEMPTS], asked[ATTEMPTS:]
        said: list[list[float] | SafetyAssetsError] = all_of(first, self._compare, self._care)
        lost = [one for one in said if isinstance(one, SafetyAssetsError)]
        if lost and len(lost) == len(said):
            return [*said, *([lost[-1]] * len(rest))]
        return said + all_of(rest, self._compare, self._care, self._told)

    def _compare(self, asked: tuple[Chat, Sequence[str]]) -> list[float]:
        chat, choices = asked
        before = self._prompt(chat, begun=True)
        whole = [self._prompt([*chat, {"role": "assistant", "content": c}], begun=False) for c in choices]
        return [mean_logprob(before, one) for one in whole]

    def _prompt(self, chat: Chat, *, begun: bool) -> list[Any]:
        """What the server says of each token of a rendered chat; `begun`: up to where the answer would begin."""
        reply = self._chat(chat, 1, prompt_logprobs=0, add_generation_prompt=begun)
        if not reply.given:
            raise self._refused(reply)
        found = reply.body.get("prompt_logprobs")
        if not isinstance(found, list):
            raise EvaluationError(
                f"{self.address} does not tell the log-probabilities of given answers, so that choices cannot be "
                "compared", expected="a server with prompt_logprobs, as vLLM has them",
            )  # fmt: skip
        return found

    def _chat(self, chat: Chat, max_tokens: int, **more: object) -> Reply:
        asked = {"model": self.name, "messages": list(chat), "temperature": 0, "max_tokens": max_tokens, **more}
        return self._wire.send("chat/completions", asked)

    def _refused(self, reply: Reply) -> EvaluationError:
        wants_key = reply.status in (401, 403)
        do = f"set {self._wire.address.key_variable} to a key of that host" if wants_key else ""
        return EvaluationError(f"{self.address} {reply}", do=do)
