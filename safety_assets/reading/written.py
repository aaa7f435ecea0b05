"""The answers and requests that the shipped models learn from: written by hand as parts in `source/`, joined here.

No answer does what a harmful request asks: whatever helps is a harmless body on the same subject.
"""

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import yaml

_SLOT = re.compile(r"\{(\w+)\}")
SOURCE = Path(__file__).resolve().parent / "source"
POOL = Path(__file__).resolve().parent.parent / "pools" / "standard"
"""Pairs of the package: refusals, look-alikes and anchors, written for another purpose, and so in other words."""
SEED = 11
PER_STYLE = 8
"""Answers of each style in each domain; fewer where the style has one sentence."""
FRAMES = 4
"""Requests made of each verb phrase."""
FILLED = 12
"""Requests made of each form with slots."""
GUIDES = 24
"""Long answers that help, in each domain."""


@dataclass(frozen=True)
class Written:
    """One answer of the source.

    Args:
        text: the answer.
        verdict: what it does; refusal where it is not said whether a full one.
        style: the style of the source that it is made of.
        domain: what it is about.
    """

    text: str
    verdict: str
    style: str
    domain: str


def answers() -> list[Written]:
    """Every answer, in an order that is always the same."""
    draw = random.Random(SEED)
    world = _read("domains")
    domains = world["domains"]
    helping, guides = _read("helping"), _read("guides")
    bodies = {
        name: [*_bodies(domain, helping), *(_guide(draw, guides) for _ in range(GUIDES))]
        for name, domain in domains.items()
    }
    bodies["everyday"] += [*guides["explains"], *guides["corrects"]]
    fill = Filler(draw, world)
    out = [*_refusing(draw, fill, _read("refusing")["styles"], domains)]
    out += _partial(draw, fill, _read("partial")["styles"], bodies)
    out += _helping(draw, fill, helping, bodies)
    out += _hedging(draw, fill, _read("hedging")["styles"], bodies)
    out += [Written(said, kind, f"pool {category}", category) for _, said, kind, category in _pool()]
    out += [
        Written(text, "non_answer", f"nothing {i % 5}", list(bodies)[i % len(bodies)])
        for i, text in enumerate(_nothing())
    ]
    return list({said.text: said for said in out}.values())


@dataclass(frozen=True)
class Asked:
    """One request of the source.

    Args:
        text: the request.
        category: what it touches; none for a harmless one.
        phrase: the phrase of the source that it is made of.
    """

    text: str
    category: str
    phrase: str


def digest(texts: Sequence[Written | Asked]) -> str:
    """Sixteen hex digits over texts with all that is known of them: a model's facts name the one that it is of."""
    return hashlib.sha256(json.dumps([astuple(one) for one in texts]).encode()).hexdigest()[:16]


def requests() -> list[Asked]:
    """Every request, in an order that is always the same."""
    draw, source = random.Random(SEED), _read("requests")
    out = [Asked(text, "none", text) for text in source["none"]]
    out += _filled(draw, source["slots"], source["none_forms"], "none")
    for name, parts in source["categories"].items():
        out += _framed(draw, source["frames"], parts["do"], name)
        out += [Asked(text, name, text) for text in parts["ask"]]
        out += _framed(draw, source["near_frames"], parts["near"], "none")
        out += _filled(draw, source["slots"], parts["forms"], name)
        out += _filled(draw, source["slots"], parts["near_forms"], "none")
    out += [Asked(text, category if kind == "refusal" else "none", text) for text, _, kind, category in _pool()]
    return list({asked.text: asked for asked in out}.values())


def _pool() -> Iterator[tuple[str, str, str, str]]:
    """Request, answer, refusal or compliance, and category of every pair of the package's pool."""
    for file in sorted(POOL.glob("*.jsonl")):
        for pair in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            asked, said = (turn["content"] for turn in pair["messages"][-2:])
            yield asked, said, "refusal" if pair["kind"] == "refusal" else "compliance", pair["category"]


def _framed(draw: random.Random, frames: Sequence[str], phrases: Sequence[str], category: str) -> Iterator[Asked]:
    for phrase in phrases:
        for frame in draw.sample(frames, FRAMES):
            yield Asked(frame.replace("{do}", phrase).replace("{Do}", phrase[0].upper() + phrase[1:]), category, phrase)


def _filled(
    draw: random.Random, slots: Mapping[str, Sequence[str]], forms: Sequence[str], category: str
) -> Iterator[Asked]:
    for form in forms:
        for _ in range(FILLED):
            text = form
            while slot := _SLOT.search(text):
                words = draw.choice(slots[slot.group(1).lower()])
                words = words[0].upper() + words[1:] if slot.group(1)[0].isupper() else words
                text = text[: slot.start()] + words + text[slot.end() :]
            yield Asked(text, category, form)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SOURCE / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def _nothing() -> list[str]:
    return [*map(str, _read("nothing")["answers"])]


def _bodies(domain: Mapping[str, Sequence[str]], helping: Mapping[str, Sequence[str]]) -> list[str]:
    return [*(domain["bodies"] or helping["everyday"])]


def _guide(draw: random.Random, parts: Mapping[str, Sequence[str]]) -> str:
    """An introduction, three to seven tips as a list, perhaps an ending."""
    topic, mark = draw.choice(parts["topics"]), draw.choice(("1.", "1.", "1.", "1)", "-", "*", "**"))
    intro = draw.choice(parts["intros"]).replace("{topic}", topic).replace("{Topic}", topic[0].upper() + topic[1:])
    tips = [_item(mark, i, tip) for i, tip in enumerate(draw.sample(parts["tips"], draw.randint(3, 7)), 1)]
    outro = [draw.choice(parts["outros"])] if draw.random() < 0.5 else []
    return "\n\n".join([intro, "\n".join(tips), *outro])


def _item(mark: str, number: int, tip: str) -> str:
    head, _, rest = tip.partition(":")
    if mark == "**":
        return f"{number}. **{head}**:{rest}"
    return f"{mark.replace('1', str(number))} {tip if number % 3 else rest.strip()}"


class Filler:
    """Fills the slots of a sentence for a domain."""

    def __init__(self, draw: random.Random, world: Mapping[str, Any]) -> None:
        self.draw, self.world = draw, world

    def __call__(self, sentence: str, domain: str) -> str:
        """The sentence with one choice for every slot it has."""
        parts = self.world["domains"][domain]
        said = {
            "ask": self.draw.choice(parts["asks"]), "thing": self.draw.choice(parts["things"]),
            "safe": self.draw.choice(parts["safe"]), "expert": self.draw.choice(parts["experts"]),
            "group": self.draw.choice(self.world["groups"]), "deed": self.draw.choice(self.world["deeds"]),
        }  # fmt: skip
        for slot, words in said.items():
            sentence = sentence.replace(f"{{{slot}}}", words).replace(
                f"{{{slot.title()}}}", words[0].upper() + words[1:]
            )
        return sentence


Fill = Callable[[str, str], str]


def _refusing(
    draw: random.Random, fill: Fill, styles: Mapping[str, Mapping], domains: Mapping[str, object]
) -> Iterator[Written]:
    for style, parts in styles.items():
        for domain in parts.get("domains", domains):
            for _ in range(PER_STYLE):
                said = [draw.choice(parts["first"])]
                said += draw.sample(parts["then"], min(len(parts["then"]), draw.choice((0, 1, 1, 2))))
                said += draw.sample(parts["last"], min(len(parts["last"]), draw.choice((0, 0, 1))))
                joint = draw.choice((" ", " ", " ", "\n\n"))
                yield Written(joint.join(fill(s, domain) for s in said), "full_refusal", style, domain)


def _partial(
    draw: random.Random, fill: Fill, styles: Mapping[str, Mapping], bodies: Mapping[str, Sequence[str]]
) -> Iterator[Written]:
    for style, parts in styles.items():
        for domain, texts in bodies.items():
            for _ in range(PER_STYLE):
                first, body = fill(draw.choice(parts["first"]), domain), draw.choice(texts)
                said = [first, body] if parts["form"] == "after" else [body, first]
                if parts["last"] and draw.random() < 0.3:
                    said.append(fill(draw.choice(parts["last"]), domain))
                yield Written(draw.choice((" ", "\n\n")).join(said), "partial_refusal", style, domain)


def _helping(
    draw: random.Random, fill: Fill, parts: Mapping[str, Sequence[str]], bodies: Mapping[str, Sequence[str]]
) -> Iterator[Written]:
    for style in ("everyday", "short", "hard"):
        for i, text in enumerate(parts[style]):
            yield Written(text, "compliance", f"{style} {i % 5}", list(bodies)[i % len(bodies)])
    for i, text in enumerate(parts["hard"]):
        yield Written(f"{draw.choice(parts['openers'][:6])} {text}", "compliance", f"hard {i % 5}", "harmless")
    for domain, texts in bodies.items():
        for i, text in enumerate(texts):
            yield Written(text, "compliance", f"body {i % 5}", domain)
            for _ in range(3):
                opener = fill(draw.choice(parts["openers"]), domain)
                closer = fill(draw.choice(parts["closers"]), domain) if draw.random() < 0.4 else ""
                yield Written(f"{opener} {text} {closer}".strip(), "compliance", f"body {i % 5}", domain)


def _hedging(
    draw: random.Random, fill: Fill, styles: Mapping[str, Mapping], bodies: Mapping[str, Sequence[str]]
) -> Iterator[Written]:
    for style, parts in styles.items():
        for domain, texts in bodies.items():
            for _ in range(PER_STYLE):
                body, shape = draw.choice(texts), draw.choice(("before", "after", "both"))
                before = [fill(draw.choice(parts["before"]), domain)] if shape != "after" else []
                after = [fill(draw.choice(parts["after"]), domain)] if shape != "before" else []
                yield Written(draw.choice((" ", "\n\n")).join([*before, body, *after]), "hedged", style, domain)
