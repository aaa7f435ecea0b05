"""What a model holds inside at the end of a prompt, before it says a word."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers.modeling_outputs import CausalLMOutputWithPast

from safety_assets.models.batch import pad_left, positions
from safety_assets.models.chat import Chat, encode_prompt
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


def first_token_probabilities(loaded: LoadedModel, chats: Sequence[Chat]) -> Tensor:
    """Probability of every token to be the answer's first, fp32, on the CPU.  # (chats, vocab)"""
    return _over_batches(loaded, chats, _probabilities)


def _states(out: CausalLMOutputWithPast) -> Tensor:
    return torch.stack([h[:, -1] for h in out.hidden_states[1:]], dim=1)  # (rows, layers, width)


def _probabilities(out: CausalLMOutputWithPast) -> Tensor:
    return out.logits[:, -1].float().softmax(-1)


@torch.no_grad()
def _over_batches(loaded: LoadedModel, chats: Sequence[Chat], read: Read) -> Tensor:
    parts = []
    for start in range(0, len(chats), BATCH_ROWS):
        prompts = [encode_prompt(loaded.tokenizer, chat) for chat in chats[start : start + BATCH_ROWS]]
        ids, mask = pad_left(prompts, int(loaded.tokenizer.pad_token_id), loaded.device)
        with loaded.precision():
            out = loaded.model(
                input_ids=ids, attention_mask=mask, position_ids=positions(mask), use_cache=False,
                output_hidden_states=True, logits_to_keep=1,
            )  # fmt: skip
        parts.append(read(out).float().cpu())
    return torch.cat(parts)
