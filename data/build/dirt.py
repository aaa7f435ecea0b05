"""Realistic dirt for the bank's corpus: personal data, near-duplicates, probe overlap, broken lines, poor answers."""

import json
import random

from data.build.bank import Turn, conversations
from data.build.probes import Probe


def card_number(rng: random.Random) -> str:
    """A made-up payment card number with a right check digit, from a range kept for tests."""
    digits = [int(d) for d in "400000" + "".join(str(rng.randrange(10)) for _ in range(9))]
    doubled = [d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits)]
    number = "".join(map(str, digits)) + str(-sum(doubled) % 10)
    return " ".join(number[i : i + 4] for i in range(0, 16, 4))


def corpus_lines(seed: int, count: int, probes: list[Probe]) -> list[str]:
    """The lines of the corpus file: clean conversations with a few per cent of dirt, shuffled."""
    rng = random.Random(seed)
    chats = conversations(seed, count)
    dirty = [_with_personal_data(rng, chat) for chat in rng.sample(chats, 60)]
    near = [_near_duplicate(rng, chat) for chat in rng.sample(chats, 50)]
    exact = rng.sample(chats, 20)
    poor = [_poor(rng, chat) for chat in rng.sample(chats, 20)]
    overlap = [_probe_row(p) for p in rng.sample([p for p in probes if p["metric"] == "lookalike"], 15)]
    lines = [json.dumps({"messages": chat}) for chat in [*chats, *dirty, *near, *exact, *poor, *overlap]]
    lines += _broken(rng, lines)
    rng.shuffle(lines)
    return lines


def _with_personal_data(rng: random.Random, chat: list[Turn]) -> list[Turn]:
    name = rng.choice(("m.ramos", "j.okoye", "tina.w", "h.lund", "a.petit", "client42"))
    extra = rng.choice((
        f" My e-mail is {name}@{rng.choice(('example.com', 'example.org', 'mail.example.net'))}.",
        f" My card number is {card_number(rng)}.",
    ))  # fmt: skip
    return _with_last_question(chat, lambda text: text + extra)


def _near_duplicate(rng: random.Random, chat: list[Turn]) -> list[Turn]:
    return _with_last_question(chat, lambda text: rng.choice(("Ok. ", "Well, ", "So, ")) + text)


def _poor(rng: random.Random, chat: list[Turn]) -> list[Turn]:
    answer = rng.choice(("Ok.", "fee fee fee fee fee fee", "...", chat[-2]["content"]))
    return [*chat[:-1], {"role": "assistant", "content": answer}]


def _probe_row(probe: Probe) -> list[Turn]:
    chat = list(probe["messages"])  # type: ignore[call-overload]
    return [*chat, {"role": "assistant", "content": "Certainly. Our branch desk can tell you more."}]


def _with_last_question(chat: list[Turn], change) -> list[Turn]:  # type: ignore[no-untyped-def]
    question = {"role": "user", "content": change(chat[-2]["content"])}
    return [*chat[:-2], question, chat[-1]]


def _broken(rng: random.Random, lines: list[str]) -> list[str]:
    line = rng.choice(lines)
    return [
        line[: len(line) // 2],
        '{"messages": [{"role": "customer", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]}',
        '{"messages": [{"role": "user", "content": "How do I open my savings account?"}, {"role": "assistant", "content": ""}]}',
        '{"ask": "How do I close my pension plan?", "reply": "At the closing desk."}',
        '{"messages": [{"role": "user", "content": "Is anybody there?"}]}',
        '["not", "an", "object"]',
        '{"messages": "How do I pause my travel card?"}',
        '{"messages": [{"role": "assistant", "content": "Certainly."}, {"role": "user", "content": "Thanks."}]}',
    ]
