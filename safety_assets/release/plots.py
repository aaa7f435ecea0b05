"""Small SVG figures by matplotlib: bars per dimension, lines, a Pareto front.

Without a file, without a window, and the same bytes for the same numbers. Text stays text and is escaped by
matplotlib; it is never read as mathematics.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 8.0, 4.0
"""Of a figure, inches; a screen shows 72 to 96 points of one."""
BAR_HEIGHT = 0.42
"""Inches of a dimension's two bars."""
MOST_NAMED = 20
"""Points of a Pareto plot that are named at most."""
MARKED = 40
"""Lines of at most so many points show each of them."""
PER_ROW = 5
"""Names in a row of a legend."""
COLOURS = ("#4c8bf5", "#e8833a", "#2ba67c", "#b266d9", "#d94f70", "#8a8f3c", "#3fa7c4", "#a0715a")
"""Readable on light and on dark ground, and so is TEXT."""
BUDGET, TEXT = "#d94f70", "#7b7b7b"

STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "safety_assets", "text.parse_math": False, "font.family": "sans-serif",
    "font.size": 9, "axes.titlesize": 11, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": True, "grid.alpha": 0.3, "legend.frameon": False,
    "savefig.transparent": True,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), TEXT),
}  # fmt: skip
NO_FACTS = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""What matplotlib would add to a file: the day, and its version."""

Point = tuple[float, float]


def bars_per_dimension(
    baseline: Mapping[str, float | None], candidate: Mapping[str, float | None], budget: Mapping[str, float | None]
) -> str:
    """Scores of baseline and candidate per dimension (0-10), with a tick where the budget ends (baseline - budget).

    A missing or non-finite score is written as "unscored", never drawn as a bar; a budget of None draws no tick.
    """
    title = "Scores per dimension, baseline and candidate"
    with _figure(title, height=1.0 + BAR_HEIGHT * max(1, len(baseline))) as (axes, drawn):
        for i, name in enumerate(baseline):
            _bar(axes, i - 0.2, baseline[name], COLOURS[0])
            _bar(axes, i + 0.2, candidate.get(name), COLOURS[1])
            allowed, base = finite(budget.get(name)), finite(baseline[name])
            if allowed is not None and base is not None:
                axes.vlines(max(0.0, base - allowed), i - 0.42, i + 0.42, color=BUDGET, linewidth=2)
        axes.set_yticks(range(len(baseline)), list(baseline))
        axes.set(xlim=(0, 11), ylim=(len(baseline) - 0.4, -0.6), xticks=range(0, 11, 2), xlabel="points")
        axes.grid(visible=False, axis="y")
        _legend(axes, {"baseline": COLOURS[0], "candidate": COLOURS[1], "end of the budget": BUDGET})
    return drawn[0]


def line(series: Mapping[str, Sequence[Point]], title: str, x_label: str = "step", y_label: str = "") -> str:
    """One line per series through its points (x, y); points that are not finite break nothing and are left out."""
    with _figure(title, room_below=0.8 if len(series) <= PER_ROW else 1.1) as (axes, drawn):
        for i, points in enumerate(series.values()):
            clean = sorted((x, y) for x, y in points if finite(x) is not None and finite(y) is not None)
            marker = "o" if len(clean) <= MARKED else ""
            xs, ys = [x for x, _ in clean], [y for _, y in clean]
            axes.plot(xs, ys, marker=marker, markersize=4, color=COLOURS[i % len(COLOURS)])
        axes.set(xlabel=x_label, ylabel=y_label)
        _legend(axes, {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(series)})
    return drawn[0]


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
    placed = [(entry, finite(entry.x), finite(entry.y)) for entry in entries]
    clean = {entry: (x, y) for entry, x, y in placed if x is not None and y is not None}
    best = undominated(list(clean.values()))
    front = [entry for entry, point in clean.items() if point in best]
    with _figure(title, right=0.64) as (axes, drawn):
        axes.plot([x for x, _ in best], [y for _, y in best], "--", color=COLOURS[0], linewidth=1)
        for (area, colour), points in _alike(clean, front).items():
            xs, ys = [x for x, _ in points], [y for _, y in points]
            axes.scatter(xs, ys, area, colour, alpha=0.75, linewidths=0, gid=f"points-{area}-{colour[1:]}")
        axes.set(xlabel=x_label, ylabel=y_label)
        _names(axes, clean, front)
        missing = sorted({entry.name for entry in entries} - {entry.name for entry in clean})
        said = "blue: undominated; area: cost" + (f"; unscored: {', '.join(missing)}" if missing else "")
        axes.text(0, -0.24, said, transform=axes.transAxes, fontsize=8)
    return drawn[0]


def undominated(points: Sequence[Point]) -> list[Point]:
    """Those than which no other is as good in both figures and better in one, from left to right."""
    best: list[Point] = []
    for point in sorted(set(points), reverse=True):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best[::-1]


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


def finite(value: object) -> float | None:
    """A number as a float; None when it is none, or not finite."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


@contextmanager
def _figure(
    title: str, height: float = HEIGHT, right: float = 0.97, room_below: float = 0.8
) -> Iterator[tuple["Axes", list[str]]]:
    """Axes to draw into, and a list that holds the SVG afterwards.

    Args:
        height, room_below: inches, of all of it and under the axes.
        right: where the axes end, as a share of the width.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawn: list[str] = []
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0.13, room_below / height, right - 0.13, 1 - (room_below + 0.35) / height))
        axes.set_title(title)
        yield axes, drawn
        drawn.append(_svg(figure, title))


def _svg(figure: "Figure", title: str) -> str:
    """The element alone, without the head of a file."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Title": title, **NO_FACTS})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _bar(axes: "Axes", y: float, score: float | None, colour: str) -> None:
    value = finite(score)
    if value is None:
        axes.text(0.1, y, "unscored", va="center", fontsize=8)
        return
    axes.barh(y, value, height=0.36, color=colour)
    axes.text(10.9, y, f"{value:.2f}", va="center", ha="right", fontsize=8)


def _legend(axes: "Axes", keys: Mapping[str, str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in keys.items()]
    if len(handles) > 1:
        below = (0.5, -0.42 / _inches(axes))
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=below, ncols=min(len(handles), PER_ROW))


def _inches(axes: "Axes") -> float:
    """Height of the drawing area."""
    return float(axes.get_position().height * axes.get_figure().get_figheight())  # type: ignore[union-attr]


def _alike(clean: Mapping[Entry, Point], front: Sequence[Entry]) -> dict[tuple[int, str], list[Point]]:
    """Points by area and colour. The area goes with the cost, in steps, up to nine times that of the cheapest."""
    cheapest = min((entry.cost for entry in clean if entry.cost and finite(entry.cost)), default=1.0)
    groups: dict[tuple[int, str], list[Point]] = {}
    for entry, point in clean.items():
        area = 15 * round(2 * min(max((entry.cost or cheapest) / cheapest, 1.0), 9.0))
        groups.setdefault((area, COLOURS[0 if entry in front else 1]), []).append(point)
    return groups


def _names(axes: "Axes", clean: Mapping[Entry, Point], front: Sequence[Entry]) -> None:
    """Names under one another at the right, each with a line to its point."""
    named = [*front, *(entry for entry in clean if entry not in front)][:MOST_NAMED]
    named.sort(key=lambda entry: clean[entry][1])
    low, high = axes.get_ylim()
    wanted = [(clean[entry][1] - low) / (high - low) for entry in named]
    heights = spread(wanted, min(1 / max(len(named), 1), 0.065), 0.0, 1.0)
    for entry, height in zip(named, heights, strict=True):
        arrow = {"arrowstyle": "-", "color": COLOURS[0 if entry in front else 1], "alpha": 0.5}
        axes.annotate(
            f"{entry.name} {entry.price}".strip(), clean[entry], (1.06, height), textcoords="axes fraction",
            va="center", fontsize=8, arrowprops=arrow, annotation_clip=False,
        )  # fmt: skip
