"""Answers per second against lm-evaluation-harness: short answers, and a mix in which every tenth is long.

    python -m benchmarks.generation [--prompts 512] [--rounds 3] [--batch 64]

Needs lm-evaluation-harness (package lm_eval). Both sides load the same folder on one thread of the processor and get
the same prompts, batch size and limit of tokens, by turns, in one process; each side's time is the processor time of
its best round. What is compared is `Generator.generate` and `HFLM.generate_until`, tokenising included, loading not.
Their answers must be equal.

uniform: gate probes of the bundled project, as the bundled model answers them (10 tokens in the median). system: the
same under one system prompt of an application, which is read once a batch. mixed: the bundled
model after it has learnt some long texts by heart, so that a tenth of its answers is ten times as long as the median.

continuous: a quarter of the uniform prompts against transformers' own continuous batching (`generate_batch`).

cached: scoring unchanged weights again, as a share of the first run (benchmarks.scored_again, which runs alone too).

The last line is JSON.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig

from benchmarks.findings import table
from benchmarks.scored_again import scored_again
from safety_assets.evals.probes import read_probes
from safety_assets.models.chat import Chat, encode_prompt
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.project import BUNDLED, open_project

BASE = BUNDLED / "models" / "aligned"
LONG = 10
"""How many times the median answer a long one is."""
SYSTEM = {
    "role": "system",
    "content": "You are the assistant of a bank. You help customers with their accounts, cards and loans. Be polite and"
    " brief. Do not give advice on law or medicine, and send whoever asks for it to somebody who may.",
}
LEARNT = 8  # long texts
SHORT_LIMIT = 48


def main() -> None:
    """Measure, print a table and JSON."""
    asked = _arguments()
    if not importlib.util.find_spec("lm_eval"):
        raise SystemExit("lm-evaluation-harness is not installed, with which this compares: pip install lm_eval")
    torch.set_num_threads(1)
    chats = _chats(asked.prompts)
    found = {"uniform": _compared(BASE, chats, SHORT_LIMIT, asked)}
    told = [[SYSTEM, *(turn for turn in chat if turn["role"] != "system")] for chat in chats]
    found["system"] = _compared(BASE, told, SHORT_LIMIT, asked)
    with tempfile.TemporaryDirectory() as folder:
        limit, long = _with_long_texts(Path(folder), chats)
        mixed = [long[i // 10 % len(long)] if i % 10 == 0 else chat for i, chat in enumerate(chats)]
        found["mixed"] = _compared(Path(folder), mixed, limit, asked)
    print("\n".join(table([{"prompts": name, **figures} for name, figures in found.items()])))
    found["continuous"] = _continuous(chats[::4], SHORT_LIMIT, asked.batch)
    print(f"transformers' continuous batching: {found['continuous']['transformers_per_s']} answers per second")
    print(json.dumps({**found, **scored_again()}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    return parser.parse_args()


def _chats(number: int) -> list[Chat]:
    """Gate probes that are answered in words, spread over the dimensions."""
    probes = read_probes(open_project(BUNDLED).probes).filter(split="gate")
    chats = [chat for chat, choices in probes.select("messages", "choices").iter_rows() if not choices]
    return [chats[i * len(chats) // number] for i in range(number)]


def _compared(folder: Path, chats: Sequence[Chat], limit: int, asked: argparse.Namespace) -> dict[str, float]:
    """Answers per second of both sides, by turns."""
    ours = Generator(load_model(folder, device="cpu", threads=1), batch_rows=asked.batch)
    theirs = _harness(folder, [_prompt(ours, chat) for chat in chats], limit, asked.batch)
    said: list[list[str]] = [[], []]
    times: list[list[float]] = [[], []]
    lengths: list[int] = []

    def answer() -> list[str]:
        done = ours.generate(chats, limit)
        lengths[:] = [one.num_tokens for one in done]
        return [one.text for one in done]

    for round_ in range(asked.rounds):
        for side, act in enumerate((answer, theirs)):
            began = time.process_time()
            said[side] = [text.strip() for text in act()]
            times[side].append(time.process_time() - began)
        print(f"round {round_ + 1}: {times[0][-1]:.1f} s and {times[1][-1]:.1f} s", flush=True)
    _demand_equal(*said)
    per_s = [len(chats) / min(own) for own in times]
    return {
        "ours_per_s": round(per_s[0], 1), "lm_eval_per_s": round(per_s[1], 1), "ratio": round(per_s[0] / per_s[1], 2),
        "median_tokens": statistics.median(lengths), "longest_tokens": max(lengths),
    }  # fmt: skip


def _continuous(chats: Sequence[Chat], limit: int, batch: int) -> dict[str, float]:
    """Answers per second of both, one round each; loading not counted."""
    loaded = load_model(BASE, device="cpu", threads=1)
    wanted = GenerationConfig(
        max_new_tokens=limit, do_sample=False, eos_token_id=list(loaded.stop_ids), use_cuda_graph=False,
        pad_token_id=loaded.tokenizer.pad_token_id,
    )  # fmt: skip
    began = time.process_time()
    ours = [one.text for one in Generator(loaded, batch_rows=batch).generate(chats, limit)]
    between = time.process_time()
    prompts = [encode_prompt(loaded.tokenizer, chat) for chat in chats]
    said = loaded.model.generate_batch(inputs=prompts, generation_config=wanted, progress_bar=False)
    ended = time.process_time()
    texts = [loaded.tokenizer.decode(one.generated_tokens, skip_special_tokens=True).strip() for one in said.values()]
    _demand_equal(ours, texts)
    ours_per_s, theirs_per_s = len(chats) / (between - began), len(chats) / (ended - between)
    return {
        "ours_per_s": round(ours_per_s, 1), "transformers_per_s": round(theirs_per_s, 1),
        "ratio": round(ours_per_s / theirs_per_s, 1),
    }  # fmt: skip


def _demand_equal(ours: Sequence[str], theirs: Sequence[str]) -> None:
    different = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    if len(different) > 0.01 * len(ours):  # sums in another order turn a tie now and then
        raise SystemExit(f"{len(different)} of {len(ours)} answers differ; the first: {different[0]}")


def _prompt(generator: Generator, chat: Chat) -> str:
    tokenizer = generator.loaded.tokenizer
    return str(tokenizer.decode(encode_prompt(tokenizer, chat), skip_special_tokens=False))


def _harness(folder: Path, prompts: Sequence[str], limit: int, batch: int) -> Callable[[], list[str]]:
    """lm-evaluation-harness on the same folder and prompts."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=batch, add_bos_token=False)
    model.model.generation_config.max_new_tokens = None  # the limit is the benchmark's
    wanted = {"until": [], "max_gen_toks": limit, "do_sample": False}
    asked = [
        Instance(request_type="generate_until", doc={}, arguments=(prompt, dict(wanted)), idx=i)
        for i, prompt in enumerate(prompts)
    ]

    def answer() -> list[str]:
        model.cache_hook.dbdict = None
        return [str(text) for text in model.generate_until(asked, disable_tqdm=True)]

    return answer


def _with_long_texts(folder: Path, chats: Sequence[Chat]) -> tuple[int, list[Chat]]:
    """Write the bundled model that has learnt some long texts by heart; the limit that they need, and what asks for
    them."""
    loaded = load_model(BASE, device="cpu", threads=1)
    usual = Generator(loaded).generate(chats[:: len(chats) // 24], SHORT_LIMIT)
    median = statistics.median(one.num_tokens for one in usual)
    words = [word for one in usual for word in one.text.split()]
    long = [[{"role": "user", "content": f"Recite text number {i + 1}."}] for i in range(LEARNT)]
    texts = [_text(loaded, words[37 * i :], int(LONG * median)) for i in range(LEARNT)]
    asked, learnt = [*chats[:: len(chats) // 24], *long], [*(one.text for one in usual), *texts]
    _learn(loaded, asked, learnt)
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return int(LONG * median) + 16, long


def _text(loaded: LoadedModel, words: Sequence[str], tokens: int) -> str:
    """The first words that make so many tokens."""
    ids = loaded.tokenizer(" ".join(words), add_special_tokens=False)["input_ids"][:tokens]
    return str(loaded.tokenizer.decode(ids)).strip()


def _learn(loaded: LoadedModel, chats: Sequence[Chat], texts: Sequence[str], steps: int = 100) -> None:
    """Until the model says the long texts when it is asked for them, the last of `texts`."""
    from safety_assets.models.batch import pad_right, response_logits
    from safety_assets.models.chat import encode_chat

    rows = [
        encode_chat(loaded.tokenizer, [*chat, {"role": "assistant", "content": text}])
        for chat, text in zip(chats, texts, strict=True)
    ]
    batch = pad_right(rows, loaded.tokenizer.pad_token_id, loaded.device)
    optimiser = torch.optim.AdamW(loaded.model.parameters(), lr=2e-3)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(response_logits(loaded.model, batch), batch.targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    said = Generator(loaded).generate(list(chats[-LEARNT:]), 160)
    if [one.text for one in said] != list(texts[-LEARNT:]):
        raise SystemExit(f"the long texts were not learnt in {steps} steps (loss {loss.item():.3f})")


if __name__ == "__main__":
    main()
