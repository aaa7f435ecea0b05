"""What training and flows report, in words: how far a piece of work is, or one sentence about what happened."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]

AUDITED = {"corpus_audit": "audit", "residue": "audit of what is left"}

WINDOW = 30
"""Reports that the rate is taken over: it follows a change of speed within a few of them."""


@dataclass(frozen=True)
class Stretch:
    """Work of known length, as far as it is.

    Args:
        what: what is done, in a word or two; the same as long as it is the same work.
        done, of: counts of `unit`.
        unit: what is counted, in the plural.
        said: a few words on the side, such as the loss.
    """

    what: str
    done: int
    of: int
    unit: str
    said: str = ""

    @property
    def ended(self) -> bool:
        return self.done >= self.of


def heard(message: Message) -> Stretch | str | None:
    """One message as a stretch of work or as a sentence; None when there is nothing to tell a person."""
    match message:
        case {"event": "step", "step": int(step), "steps": int(steps)}:
            return Stretch("training", step, steps, "steps", f"loss {_number(message.get('loss'))}")
        case {"event": "answered", "model": model, "done": int(done), "of": int(of)}:
            return Stretch(f"asking {model}", done, of, "answers")
        case {"event": "judged", "done": int(done), "of": int(of)}:
            return Stretch("judging", done, of, "answers")
        case {"event": "rail_cost", "answers": answers, "credits": credits, "minutes": minutes}:
            return f"RAIL: {answers} answers leave this machine, {credits:g} credits, {minutes} minutes or more"
        case {"event": "fitted", "done": int(done), "of": int(of)}:
            return Stretch("fitting", done, of, "fits")
        case {"event": "sweep", "done": int(done), "of": int(of)}:
            return Stretch("sweep", done, of, "runs")
        case {"event": "audit", "of_what": str(what), "done": int(done), "of": int(of)}:
            return Stretch(AUDITED.get(what, what), done, of, "parts")
        case {"event": "reading", "of_what": what}:
            return f"reading {what}"
        case {"share": share, "state": "scored", "safety": safety, "over_refusal": refused}:
            return f"share {share:g}: safety {_number(safety)}, share of look-alikes refused {_number(refused)}"
        case {"share": share, "state": state}:
            return f"share {share:g} {state}"
        case {"event": "watch", "step": step, "scores": dict(scores)}:
            return f"step {step}: {_listed(scores)}"
        case {"event": "measured", "step": step, "values": dict(values)}:
            return f"step {step}: {_listed(values)}"
        case {"event": "monitor", "step": step, "fallen": dict(fallen), "action": action}:
            return f"step {step}: the monitor saw {_listed(fallen)} fall; action {action}"
        case {"event": "preflight", "rows": rows, "tokens": tokens, "seconds": seconds}:
            return f"heaviest pass: {rows} rows, {tokens} tokens, {duration(seconds)}"
        case {"event": "repaired", "repair": repair}:
            return f"repaired: {repair}"
        case {"event": "asked"} | {"event": "done"}:
            return None
    return ", ".join(f"{key} {value}" for key, value in message.items())


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "unknown"


def _listed(scores: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_number(score)}" for name, score in scores.items())


class Pace:
    """How fast each stretch goes, from what was done since it was first heard of.

    Args:
        clock: seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._seen: dict[tuple[str, int], deque[tuple[float, int]]] = {}

    def words(self, now: Stretch) -> str:
        """`120 of 900 steps, loss 2.103, 4.1 steps/s, 3 min left`; rate and rest as soon as they are known."""
        parts = [f"{now.done} of {now.of} {now.unit}", now.said]
        rate = self._rate(now)
        if rate:
            parts += [rate_words(rate, now.unit), "" if now.ended else f"{duration((now.of - now.done) / rate)} left"]
        return ", ".join(part for part in parts if part)

    def _rate(self, now: Stretch) -> float:
        """Units per second; 0 while unknown. Work that went back, as after a roll-back, is timed anew."""
        seen = self._seen.setdefault((now.what, now.of), deque(maxlen=WINDOW))
        if seen and seen[-1][1] > now.done:
            seen.clear()
        seen.append((self.clock(), now.done))
        seconds, done = seen[-1][0] - seen[0][0], seen[-1][1] - seen[0][1]
        return done / seconds if seconds > 0 else 0.0


def rate_words(rate: float, unit: str) -> str:
    """`4.1 steps/s`, or where one takes longer than a second `2.4 s per step`."""
    return f"{rate:.1f} {unit}/s" if rate >= 1 else f"{duration(1 / rate)} per {unit.removesuffix('s')}"


def duration(seconds: float) -> str:
    """Seconds for a person: `4.2 s`, `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
