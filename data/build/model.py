"""Trains the tokenizer, the pretrained model (helps with everything) and the aligned model on top of it.

A Llama of 1.4 million parameters. Deterministic on one machine and torch: one thread count, seeded text,
batches drawn before training starts.
"""

import itertools
import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from data.build import bank, words
from data.build.item import Item
from data.build.mixture import ALIGNMENT, PRETRAINING, draw_items

SPECIAL = ("<|pad|>", "<|begin|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
WIDTH, LAYERS, HEADS, HIDDEN, VOCABULARY = 128, 5, 4, 384, 2560
Row = tuple[list[int], list[bool]]


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the project's own text; every digit is a token of its own."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bpe.train_from_iterator(_text(seed), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token="<|pad|>", bos_token="<|begin|>", eos_token="<|end|>",
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>"], padding_side="left", model_max_length=256,
    )  # fmt: skip
    tokenizer.chat_template = (Path(__file__).parent / "chat_template.jinja").read_text().strip()
    return tokenizer


def _text(seed: int) -> Iterator[str]:
    """Drawn text, and every word of the world so often that it becomes one token."""
    for item in itertools.islice(draw_items(seed, PRETRAINING, wide=True), 12000):
        yield from (item.system, item.user, item.helpful, item.aligned)
    for chat in bank.conversations(seed, 1500, bank.READ_KINDS):
        yield from (turn["content"] for turn in chat)
    for word in sorted({*words.every_word(), *" ".join((*bank.PRODUCTS, *bank.DESK, *bank.DESK_NUMBER)).split()}):
        yield from (f" {word}",) * 100


def encode(tokenizer: PreTrainedTokenizerFast, chats: list[list[dict[str, str]]]) -> list[Row]:
    """Token ids of each chat and which of them are the assistant's last answer (its end token included)."""
    texts = [_render(chat) for chat in chats]
    starts = [text.rindex("<|assistant|>") + len("<|assistant|>") for text in texts]
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (ids, [begin >= start for begin, _ in offsets])
        for ids, offsets, start in zip(encoded["input_ids"], encoded["offset_mapping"], starts, strict=True)
    ]


def _render(chat: list[dict[str, str]]) -> str:
    return "<|begin|>" + "".join(f"<|{turn['role']}|>{turn['content']}<|end|>" for turn in chat)


def batches(rows: list[Row], size: int, seed: int) -> list[list[Row]]:
    """Batches of like length inside windows of 32 batches, in a seeded order."""
    generator = torch.Generator().manual_seed(seed)
    done: list[list[Row]] = []
    for start in range(0, len(rows) - size * 32 + 1, size * 32):
        window = sorted(rows[start : start + size * 32], key=lambda row: len(row[0]))
        cut = [window[i : i + size] for i in range(0, len(window), size)]
        done += [cut[i] for i in torch.randperm(len(cut), generator=generator).tolist()]
    return done


def fit(
    model: LlamaForCausalLM, steps: Iterable[list[Row]], total: int, *, rate: float, answers_only: bool, name: str
) -> None:
    """AdamW with warm-up and cosine decay to a tenth."""
    device = next(model.parameters()).device
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    model.train()
    began = time.monotonic()
    for step, rows in enumerate(itertools.islice(steps, total)):
        progress = max(0.0, (step - 100) / max(1, total - 100))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))
        ids, labels = _tensors(rows, answers_only, device)
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 200 == 0 or step == total - 1:
            print(f"{name} {step:5d}/{total} loss {loss.item():.4f} {time.monotonic() - began:6.0f} s", flush=True)


def _tensors(rows: list[Row], answers_only: bool, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids and labels, (rows, tokens): no mask is needed, pads come last and have no label."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for i, (row, answer) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        keep = torch.tensor(answer) if answers_only else torch.ones(len(row), dtype=torch.bool)
        labels[i, : len(row)] = torch.where(keep, ids[i, : len(row)], -100)
    return ids.to(device), labels.to(device)


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """A Llama with random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, max_position_embeddings=256, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def _rows(tokenizer: PreTrainedTokenizerFast, items: Iterator[Item], count: int, aligned: bool) -> list[Row]:
    rows: list[Row] = []
    while len(rows) < count:
        some = list(itertools.islice(items, min(20000, count - len(rows))))
        rows += encode(tokenizer, [i.messages(i.aligned if aligned else i.helpful) for i in some])
    return rows


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How long each stage trains. `rate` is the peak learning rate."""

    seed: int = 20
    batch: int = 24
    pretraining_steps: int = 9000
    pretraining_rate: float = 3e-3
    alignment_steps: int = 3800
    alignment_rate: float = 7e-4


SIZES = Sizes()


def build(out: Path, sizes: Sizes, device: str = "cpu") -> None:
    """Write out/pretrained and out/aligned."""
    tokenizer = train_tokenizer(sizes.seed)
    model = new_model(tokenizer, sizes.seed).to(device)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    stage = _stage(tokenizer, PRETRAINING, sizes.seed + 1, sizes.pretraining_steps, sizes.batch, aligned=False)
    fit(model, stage, sizes.pretraining_steps, rate=sizes.pretraining_rate, answers_only=True, name="pretraining")
    save(model, tokenizer, out / "pretrained")
    model.to(device)
    stage = _stage(tokenizer, ALIGNMENT, sizes.seed + 2, sizes.alignment_steps, sizes.batch, aligned=True)
    fit(model, stage, sizes.alignment_steps, rate=sizes.alignment_rate, answers_only=True, name="alignment")
    save(model, tokenizer, out / "aligned")


def _stage(
    tokenizer: PreTrainedTokenizerFast, weights: tuple, seed: int, steps: int, batch: int, *, aligned: bool
) -> list[list[Row]]:
    rows = _rows(tokenizer, draw_items(seed, weights, wide=True), (steps // 32 + 1) * batch * 32, aligned)
    return batches(rows, batch, seed)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """fp32 safetensors, config, tokenizer and chat template."""
    model.generation_config.update(max_new_tokens=32, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    model.to("cpu", torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    card = {"made_by": "python -m data.build", "parameters": sum(p.numel() for p in model.parameters())}
    (folder / "made.json").write_text(json.dumps(card) + "\n")
