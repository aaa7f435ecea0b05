"""The standard suite from its source: `source/<dimension>[-<subject>].yaml` -> `standard/<split>/<dimension>.jsonl`.

    python -m safety_assets.suites.build

People write the source; nobody edits the JSON lines. The same source gives the same bytes, which a test holds.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from safety_assets.settings import read_settings
from safety_assets.suites import STANDARD
from safety_assets.suites.misspelt import misspelt
from safety_assets.suites.schema import SPLITS, Block, Entry, Forms, Framing, Leanings, Scene, Source, Split

SOURCE = Path(__file__).resolve().parent / "source"
AS_WRITTEN = Framing()
Probe = dict[str, object]


def main() -> None:
    """Write all files."""
    for path, text in sorted(build().items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(STANDARD)}: {text.count(chr(10))} probes")


def build() -> dict[Path, str]:
    """Path and text of every file of the suite."""
    out: dict[Path, str] = {}
    for file in sorted(SOURCE.glob("*.yaml"), key=lambda file: file.stem):
        dimension = file.stem.partition("-")[0]
        source = read_settings(file, Source)
        for split in SPLITS:
            probes = [_finished(dimension, split, probe) for probe in _probes(source, split)]
            lines = [json.dumps(probe, ensure_ascii=False) for probe in probes]
            path = STANDARD / split / f"{dimension}.jsonl"
            out[path] = out.get(path, "") + "".join(f"{line}\n" for line in lines)
    return out


def _probes(source: Source, split: Split) -> Iterator[Probe]:
    for block in source.blocks:
        for place, entry in enumerate(getattr(block, split)):
            yield from _of_entry(block, entry, place)
    for scene in source.scenes.get(split, ()):
        yield from _of_scene(scene)
    for forms in source.forms.get(split, ()):
        yield from _of_forms(forms)
    for leanings in source.leanings:
        yield from _of_leanings(leanings, split)


def _finished(dimension: str, split: str, probe: Probe) -> Probe:
    """A probe with all keys, in the order of the schema, and an id that is the digest of the rest."""
    row: Probe = {"dimension": dimension, "split": split, "metric": "", "category": "", "slice": "seen"}
    row |= {"group": "", "pair": None, "variant": None, "messages": [], "expect": ""}
    row |= {"targets": [], "forbidden": [], "choices": []} | probe
    row["group"] = _digest([dimension, row["group"]], 12)
    row["pair"] = row["pair"] and _digest([dimension, row["pair"]], 12)
    return {"probe_id": _digest(row, 16), **row}


def _of_entry(block: Block, entry: Entry, place: int) -> Iterator[Probe]:
    """An item once for each of its asks, its swaps, its block's framings and rounds; all of them one group."""
    first = entry.ask or entry.asks[0]
    common: Probe = {"category": block.category, "slice": block.slice, "expect": block.expect, "group": first}
    common |= {"targets": [*(entry.targets or block.targets)], "choices": [*entry.choices]}
    together = entry.who or block.expect == "agree"
    common |= {"forbidden": [*(entry.who or entry.forbidden or block.forbidden)], "pair": first if together else None}
    for variant, framing, ask in _askings(block, entry, place):
        system, earlier = framing.system or entry.system or block.system, (*framing.turns, *entry.turns)
        turns = _chat(system, earlier, framing.ask.replace("{ask}", ask))
        yield {**common, "metric": framing.metric or block.metric, "variant": variant, "messages": turns}


def _askings(block: Block, entry: Entry, place: int) -> Iterator[tuple[str | None, Framing, str]]:
    for who in entry.who:
        yield who, AS_WRITTEN, str(entry.ask).replace("{who}", who)
    for ask in entry.asks if entry.asks or entry.who else (str(entry.ask),):
        for text in _orders(ask, entry.targets):
            yield entry.variant, AS_WRITTEN, text
    for name, framing in (*block.framings.items(), *_rounds(block, place)):
        yield name, framing, entry.ask or entry.asks[0]


def _rounds(block: Block, place: int) -> Iterator[tuple[str, Framing]]:
    """Of each round the framing whose turn it is; where it begins differs from category to category."""
    for metric, framings in block.rounds.items():
        names = list(framings)
        name = names[(place + int(_digest(block.category, 4), 16)) % len(names)]
        yield name, framings[name].model_copy(update={"metric": metric})


def _orders(ask: str, options: Sequence[str]) -> list[str]:
    """An ask once for each option that can stand first in {options}; without {options} as it is."""
    if "{options}" not in ask:
        return [ask]
    turned = [[*options[i:], *options[:i]] for i in range(len(options))]
    return [ask.replace("{options}", f"{', '.join(order[:-1])} or {order[-1]}") for order in turned]


def _chat(system: str | None, earlier: Sequence[str], ask: str) -> list[dict[str, str]]:
    turns = [("system", system)] if system else []
    turns += [("assistant" if i % 2 else "user", turn) for i, turn in enumerate(earlier)]
    return [{"role": role, "content": content.strip()} for role, content in [*turns, ("user", ask)]]


def _of_scene(scene: Scene) -> Iterator[Probe]:
    common: Probe = {"group": scene.scene, "category": scene.category}
    for question in (scene.bad, scene.good):
        yield {**common, "metric": "no_prejudice", "expect": "abstain", "messages": _said(f"{scene.scene} {question}")}
    for person, sentence in scene.stated.items():
        chat = _said(f"{scene.scene} {sentence} {scene.bad}")
        yield {**common, "metric": "uses_what_is_said", "expect": "answer", "targets": [person], "messages": chat}


def _of_forms(forms: Forms) -> Iterator[Probe]:
    lower = re.sub(r"[^\w\s'-]", "", forms.plain).lower()
    texts = {"plain": forms.plain, "lower": lower, "typos": forms.typos or misspelt(forms.plain)}
    texts |= {"dialect": forms.dialect, "non_native": forms.non_native}
    common: Probe = {"category": forms.category, "group": forms.plain, "pair": forms.plain, "expect": "answer"}
    for variant, text in texts.items():
        chat = _said(text)
        yield {**common, "metric": variant, "variant": variant, "targets": [*forms.targets], "messages": chat}


def _of_leanings(leanings: Leanings, split: Split) -> Iterator[Probe]:
    """A question with some of the pairs, so that no one phrase decides; the next question begins a pair later."""
    pairs = leanings.pairs.get(split, ())
    common: Probe = {"metric": leanings.metric, "category": leanings.category, "expect": "prefer"}
    for place, question in enumerate(getattr(leanings, split)):
        choices = [answer for step in range(leanings.each) for answer in pairs[(place + step) % len(pairs)]]
        yield {**common, "group": question, "messages": _said(question), "choices": choices}


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text.strip()}]


def _digest(value: object, length: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


if __name__ == "__main__":
    main()
