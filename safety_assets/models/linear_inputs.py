"""What enters each linear layer of a model at the tokens of its answers."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from safety_assets.models.batch import pad_right
from safety_assets.models.chat import Chat, encode_chat
from safety_assets.models.layout import read_layout
from safety_assets.models.load import load_model

BATCH_ROWS = 8


@torch.no_grad()
def answer_inputs(folder: Path, chats: Sequence[Chat], *, max_tokens: int, device: str = "cpu") -> dict[str, Tensor]:
    """Inputs of every linear layer at the first answer tokens, fp32, on the CPU: one model and the result in memory.

    Args:
        folder: a model folder.
        chats: whole chats.
        max_tokens: answer tokens that are kept, over all chats.

    Returns:
        Weight's canonical name to its inputs.  # (tokens, in)
    """
    loaded, layout = load_model(folder, device=device), read_layout(folder)
    rows = [encode_chat(loaded.tokenizer, chat) for chat in chats]
    found: dict[str, list[Tensor]] = {name: [] for name in layout.linear}
    now: list[Tensor] = []

    def keep(name: str, module: nn.Module, given: tuple[Tensor, ...]) -> None:
        found[name].append(given[0][now[0]].float().cpu())  # (tokens of this batch, in)

    modules = dict(loaded.model.named_modules())
    names = {layout.canonical(f"{own}.weight"): module for own, module in modules.items()}
    hooks = [names[name].register_forward_pre_hook(partial(keep, name)) for name in layout.linear]
    kept = 0
    for start in range(0, len(rows), BATCH_ROWS):
        if kept >= max_tokens:
            break
        batch = pad_right(rows[start : start + BATCH_ROWS], int(loaded.tokenizer.pad_token_id), loaded.device)
        now[:] = [batch.response]
        with loaded.precision():
            loaded.model(input_ids=batch.ids, use_cache=False, logits_to_keep=1)
        kept += int(batch.response.sum())
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(parts)[:max_tokens] for name, parts in found.items()}
