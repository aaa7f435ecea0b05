"""What a model holds inside at the end of a prompt, before it says a word."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from transformers.modeling_outputs import CausalLMOutputWithPast

from safety_assets.models.batch import pad_left, pad_right, positions
from safety_assets.models.chat import Chat, Encoded, encode_chat, encode_prompt
from safety_assets.models.load import LoadedModel

BATCH_ROWS = 64
Read = Callable[[CausalLMOutputWithPast], Tensor]


def last_token_states(loaded: LoadedModel, chats: Sequence[Chat]) -> Tensor:
    """The output of every layer at the prompt's last token, fp32, on the CPU.

    The last layer's is taken after the final norm, as transformers gives it.

    Args:
        loaded: the model.
        chats: messages up to the turn to be answered; at least one.

    Returns:
        (layers, chats, width)
    """
    return _over_batches(loaded, chats, _states).transpose(0, 1)


@torch.no_grad()
def answer_states(loaded: LoadedModel, chats: Sequence[Chat], *, max_tokens: int) -> Tensor:
    """The last layer's output, after the final norm, at the last word of the last answer, fp32, on the CPU.

    The end token is passed over: it says the same of every answer.

    Args:
        loaded: the model.
        chats: whole chats.
        max_tokens: longer chats are cut behind so many tokens, at least 1; their state is that of the last one kept.

    Returns:
        (chats, width)

    Raises:
        ModelError: the template cannot render a chat, or the assistant says nothing.
    """
    encoded = [encode_chat(loaded.tokenizer, chat) for chat in chats]
    places = [min(_last_word(e, loaded.stop_ids), max_tokens - 1) for e in encoded]
    out = torch.empty(len(chats), loaded.model.get_input_embeddings().embedding_dim)
    order = sorted(range(len(chats)), key=places.__getitem__)
    pad = int(loaded.tokenizer.pad_token_id)
    for start in range(0, len(order), BATCH_ROWS):
        rows = order[start : start + BATCH_ROWS]
        cut = [Encoded(encoded[i].ids[: places[i] + 1], encoded[i].response[: places[i] + 1]) for i in rows]
        batch = pad_right(cut, pad, loaded.device)
        with loaded.precision():
            states = loaded.model(
                input_ids=batch.ids, use_cache=False, output_hidden_states=True, logits_to_keep=1
            ).hidden_states[-1]
        where = torch.tensor([places[i] for i in rows], device=states.device)
        out[rows] = states[torch.arange(len(rows), device=states.device), where].float().cpu()
    return out


def _last_word(encoded: Encoded, stop_ids: Sequence[int]) -> int:
    """Position of the last answer token that is no end token; of the last answer token when there is no other."""
    said = [place for place, own in enumerate(encoded.response) if own]
    return next((place for place in reversed(said) if encoded.ids[place] not in stop_ids), said[-1])


def nearest_cosine(states: Tensor, others: Tensor) -> Tensor:
    """Cosine of each state to the nearest of the others, in [-1, 1].  # (n, width), (m, width) to (n,)"""
    unit = torch.nn.functional.normalize
    return (unit(states, dim=-1) @ unit(others, dim=-1).T).amax(-1)


def first_token_probabilities(loaded: LoadedModel, chats: Sequence[Chat]) -> Tensor:
    """Probability of every token to be the answer's first, fp32, on the CPU.  # (chats, vocab)"""
    return _over_batches(loaded, chats, _probabilities)


def _states(out: CausalLMOutputWithPast) -> Tensor:
    return torch.stack([h[:, -1] for h in out.hidden_states[1:]], dim=1)  # (rows, layers, width)


def _probabilities(out: CausalLMOutputWithPast) -> Tensor:
    return out.logits[:, -1].float().softmax(-1)


@torch.no_grad()
def _over_batches(loaded: LoadedModel, chats: Sequence[Chat], read: Read) -> Tensor:
    prompts = [encode_prompt(loaded.tokenizer, chat) for chat in chats]
    return torch.cat([read(out).float().cpu() for out in over_prompts(loaded, prompts)])


@torch.no_grad()
def over_prompts(loaded: LoadedModel, prompts: Sequence[Sequence[int]]) -> Iterator[CausalLMOutputWithPast]:
    """The model's output on encoded prompts, batch by batch, padded on the left, with all hidden states."""
    for start in range(0, len(prompts), BATCH_ROWS):
        ids, mask = pad_left(prompts[start : start + BATCH_ROWS], int(loaded.tokenizer.pad_token_id), loaded.device)
        with loaded.precision():
            yield loaded.model(
                input_ids=ids, attention_mask=mask, position_ids=positions(mask), use_cache=False,
                output_hidden_states=True, logits_to_keep=1,
            )  # fmt: skip
