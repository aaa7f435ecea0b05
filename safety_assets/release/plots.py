"""Small SVG figures without dependencies: bars per dimension, lines, a Pareto front. Text is escaped."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 36, 44
NAMES_RIGHT, MOST_NAMED = 210, 20
"""Room for the column of names in a Pareto plot, and how many stand there at most."""
COLOURS = ("#4c8bf5", "#e8833a", "#2ba67c", "#b266d9", "#d94f70", "#8a8f3c", "#3fa7c4", "#a0715a")
"""Readable on light and on dark ground."""

TEXT = "#7b7b7b"

Point = tuple[float, float]


def bars_per_dimension(
    baseline: Mapping[str, float | None], candidate: Mapping[str, float | None], budget: Mapping[str, float | None]
) -> str:
    """Scores of baseline and candidate per dimension (0-10), with a tick where the budget ends (baseline - budget).

    A missing or non-finite score is written as "unscored", never drawn as a bar; a budget of None draws no tick.
    """
    row, parts = 34, []
    height = TOP + row * len(baseline) + 24
    for i, name in enumerate(baseline):
        y = TOP + i * row
        parts.append(_text(LEFT + 84, y + 16, name, anchor="end"))
        parts += _bar(y, baseline[name], COLOURS[0]) + _bar(y + 13, candidate.get(name), COLOURS[1])
        allowed, base = budget.get(name), baseline[name]
        if _finite(allowed) and _finite(base):
            x = _bar_x(max(0.0, float(base or 0) - float(allowed or 0)))
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 26}" stroke="#d94f70" stroke-width="2"/>')
    keys = [("baseline", COLOURS[0]), ("candidate", COLOURS[1]), ("end of the budget", "#d94f70")]
    return _svg(_legend(keys) + parts, height, "Scores per dimension, baseline and candidate")


def line(series: Mapping[str, Sequence[Point]], title: str, x_label: str = "step", y_label: str = "") -> str:
    """One line per series through its points (x, y); points that are not finite break nothing and are left out."""
    clean = {name: [p for p in points if _finite(p[0]) and _finite(p[1])] for name, points in series.items()}
    frame = _Frame([p for points in clean.values() for p in points])
    parts = [*frame.axes(x_label, y_label), _title(title)]
    for i, points in enumerate(clean.values()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(frame.place, sorted(points)))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [_dot(*frame.place(p), colour, 2.5) for p in points] if len(points) <= 40 else []
    return _svg(parts + _legend(_keys(clean), y=HEIGHT - 6), HEIGHT, title)


@dataclass(frozen=True)
class Entry:
    """A point of `pareto`: name, both figures (more is better; None when unscored), cost and how it is said."""

    name: str
    x: float | None
    y: float | None
    cost: float | None = None
    price: str = ""


def pareto(entries: Sequence[Entry], title: str, x_label: str, y_label: str) -> str:
    """Points of two figures, the undominated ones joined, the area of each in proportion to its cost.

    Names and costs stand in a column at the right, in the order of y, a line from each to its point. At most MOST_NAMED
    are named, undominated ones first; a point that is not finite is named below as unscored.
    """
    placed = [(entry, (entry.x, entry.y)) for entry in entries if _finite(entry.x) and _finite(entry.y)]
    clean = {entry: (float(x), float(y)) for entry, (x, y) in placed}  # type: ignore[arg-type]
    frame, best = _Frame(list(clean.values()), right=WIDTH - NAMES_RIGHT), undominated(list(clean.values()))
    front = [entry for entry, point in clean.items() if point in best]
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(frame.place, best))
    parts = [*frame.axes(x_label, y_label), _title(title)]
    parts.append(f'<polyline points="{steps}" fill="none" stroke="{COLOURS[0]}" stroke-dasharray="4 3"/>')
    cheapest = min((e.cost for e in clean if e.cost and _finite(e.cost)), default=1.0)
    for entry, point in clean.items():
        radius = 4.0 * math.sqrt(min(max((entry.cost or cheapest) / cheapest, 1.0), 9.0))
        parts.append(_dot(*frame.place(point), COLOURS[0 if entry in front else 1], radius, opacity=0.75))
    named = [*front, *(entry for entry in clean if entry not in front)][:MOST_NAMED]
    parts += _column({e: frame.place(clean[e]) for e in sorted(named, key=lambda e: -clean[e][1])}, front)
    parts.append(_text(LEFT, HEIGHT - BOTTOM + 27, "blue: undominated; area: cost", size=10))
    missing = sorted({entry.name for entry in entries} - {entry.name for entry in clean})
    if missing:
        parts.append(_text(LEFT, HEIGHT - 4, f"unscored: {', '.join(missing)}", size=10))
    return _svg(parts, HEIGHT, title)


def undominated(points: Sequence[Point]) -> list[Point]:
    """Those than which no other is as good in both figures and better in one, from left to right."""
    best: list[Point] = []
    for point in sorted(set(points), reverse=True):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best[::-1]


def _column(named: Mapping[Entry, Point], front: Sequence[Entry]) -> list[str]:
    """Names under one another at the right, each with a line to its point."""
    left, room = WIDTH - NAMES_RIGHT + 22, (HEIGHT - TOP - BOTTOM) / max(len(named), 1)
    wanted = [y for _, y in named.values()]
    heights = spread(wanted, min(room, 14.0), TOP, HEIGHT - BOTTOM)
    parts = []
    for (entry, (x, y)), height in zip(named.items(), heights, strict=True):
        colour = COLOURS[0 if entry in front else 1]
        parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{left - 4:.1f}" y2="{height:.1f}" stroke="{colour}" '
            'stroke-opacity="0.5"/>'
        )
        parts.append(_text(left, height + 3.5, f"{entry.name} {entry.price}".strip(), size=10))
    return parts


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in rising order, at least a gap apart and inside low to high, each as near below its wish as can be.

    Args:
        wanted: in rising order.
        gap: room of each; all of them together fit between low and high.
    """
    places: list[float] = []
    for wish in wanted:
        places.append(max(wish, places[-1] + gap if places else low))
    limit = high
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - gap
    return places


class _Frame:
    """Maps data to the drawing area."""

    def __init__(self, points: Sequence[Point], right: float = WIDTH - RIGHT) -> None:
        self.right = right
        self.x_ticks = _ticks([p[0] for p in points])
        self.y_ticks = _ticks([p[1] for p in points])
        self.x = self.x_ticks[0], self.x_ticks[-1]
        self.y = self.y_ticks[0], self.y_ticks[-1]

    def place(self, point: Point) -> Point:
        x = LEFT + (point[0] - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - LEFT)
        y = HEIGHT - BOTTOM - (point[1] - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)
        return x, y

    def axes(self, x_label: str, y_label: str) -> list[str]:
        parts = []
        for y in self.y_ticks:
            at = self.place((self.x[0], y))[1]
            parts += [_rule(LEFT, at, self.right, at), _text(LEFT - 6, at + 4, f"{y:g}", anchor="end", size=10)]
        for x in self.x_ticks:
            at = self.place((x, self.y[0]))[0]
            parts.append(_text(at, HEIGHT - BOTTOM + 14, f"{x:g}", anchor="middle", size=10))
        parts.append(_text(self.right, HEIGHT - BOTTOM + 27, x_label, anchor="end", size=11))
        parts.append(_text(self.right, TOP - 20, y_label, anchor="end", size=11))
        return parts


def _ticks(values: Sequence[float], wanted: int = 6) -> list[float]:
    """Round numbers, at least two, 1, 2 or 5 times a power of ten apart, that enclose the values."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1.0):
        low, high = low - 0.5 * max(abs(low), 1.0), high + 0.5 * max(abs(high), 1.0)
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _bar_x(score: float) -> float:
    return LEFT + 92 + max(0.0, min(score, 10.0)) / 10 * (WIDTH - LEFT - 92 - RIGHT - 36)


def _bar(y: float, score: float | None, colour: str) -> list[str]:
    start = _bar_x(0)
    if score is None or not _finite(score):
        return [_text(start + 4, y + 10, "unscored", size=10)]
    width = _bar_x(score) - start
    bar = f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="12" fill="{colour}"/>'
    return [bar, _text(WIDTH - RIGHT, y + 10, f"{score:.2f}", anchor="end", size=10)]


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _keys(names: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, COLOURS[i % len(COLOURS)]) for i, name in enumerate(names)]


def _legend(keys: Sequence[tuple[str, str]], y: float = 20) -> list[str]:
    parts, x = [], float(LEFT)
    for name, colour in keys:
        parts.append(f'<rect x="{x:.0f}" y="{y - 9:.0f}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(x + 14, y, name, size=11))
        x += 30 + 6.5 * len(name)
    return parts


def _title(title: str) -> str:
    return _text(LEFT, 18, title, size=13)


def _dot(x: float, y: float, colour: str, radius: float, opacity: float = 1.0) -> str:
    faded = f' fill-opacity="{opacity}"' if opacity < 1 else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}"{faded}/>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#888" stroke-opacity="0.35" '
        'stroke-width="1"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    safe = html.escape(str(text))
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{safe}</text>'


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    """The image; its text is a grey that can be read on white and on near-black ground."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" font-family="sans-serif" fill="{TEXT}"><title>{html.escape(title)}</title>{"".join(parts)}</svg>'
    )
