"""Answers drawn at a temperature, each item and token with a seed of its own; and log-likelihoods as sums."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from safety_assets.models.chat import Chat, encode_chat, encode_prompt
from safety_assets.models.decoding import Running
from safety_assets.models.generate import Completion, Generator
from safety_assets.models.load import LoadedModel


class Sampler(Generator):
    """Answers chats by chance: noise of the Gumbel distribution makes the largest sum a draw from the softmax.

    The noise of a token depends on seed, prompt and its place alone, so that neither the batch nor what else is asked
    changes an answer, as far as the logits do not change with it.

    Args:
        loaded: the model.
        temperature: above 0.
        seed: another one draws other answers.
        batch_rows: prompts per forward pass.
    """

    def __init__(self, loaded: LoadedModel, *, temperature: float, seed: int, batch_rows: int = 128) -> None:
        super().__init__(loaded, batch_rows)
        self._temperature, self._seed, self._seeds = temperature, seed, list[int]()

    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> list[Completion]:
        """One drawn answer to each chat, in order; the rest as for `Generator`."""
        prompts = [encode_prompt(self.loaded.tokenizer, chat) for chat in chats]
        self._seeds = [_digest([self._seed, *ids]) for ids in prompts]
        return super().generate(chats, max_new_tokens)

    def _forward(self, rows: Running) -> Tensor:
        logits = super()._forward(rows).float() / self._temperature
        places = rows.where[:, -1].tolist()
        seeds = [self._seeds[prompt] + place for prompt, place in zip(rows.prompts, places, strict=True)]
        return logits + torch.stack([_gumbel(logits.shape[-1], seed) for seed in seeds]).to(logits.device)


def summed_logprobs(generator: Generator, chats: Sequence[Chat], answers: Sequence[Sequence[str]]) -> list[list[float]]:
    """Log-likelihood of each answer to each chat, nats, summed over its tokens, end of turn included.

    Raises:
        ModelError: as for `Generator.choice_logprobs`.
    """
    means = generator.choice_logprobs(chats, answers)
    return [
        [mean * _answer_tokens(generator, chat, text) for mean, text in zip(own, texts, strict=True)]
        for chat, own, texts in zip(chats, means, answers, strict=True)
    ]


def _answer_tokens(generator: Generator, chat: Chat, text: str) -> int:
    """Tokens of an answer, as `choice_logprobs` takes their mean."""
    tokenizer = generator.loaded.tokenizer
    whole = encode_chat(tokenizer, [*chat, {"role": "assistant", "content": text}])
    return sum(whole.response[len(encode_prompt(tokenizer, chat)) :])


def _gumbel(size: int, seed: int) -> Tensor:
    """Independent standard Gumbel noise.  # (size,)"""
    uniform = torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return -(-uniform.clamp_min(1e-300).log()).log().float()


def _digest(numbers: Sequence[int]) -> int:
    """A seed that leaves room for the places of an answer."""
    return int.from_bytes(hashlib.sha256(repr(numbers).encode()).digest()[:5])
