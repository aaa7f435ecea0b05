"""The tournament as a picture: task score against safety retained, a PNG per share of poison."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.tournament_table import Standing
from safety_assets.release.plots import COLOURS, spread, undominated

NAMED_FROM, ROOM = 1.04, 0.033
"""Where the column of names begins and the height of a name, in shares of the axes."""

Point = tuple[float, float]


def draw(found: Sequence[Standing], title: str, path: Path) -> None:
    """Write one picture: blue points are undominated, a larger area is a higher cost, names stand at the right.

    Args:
        found: standings of one share of poison.
        path: of the PNG.
    """
    from matplotlib.figure import Figure

    points = {it.recipe: (it.figures["task"], it.figures["safety_retained"]) for it in found}
    best = undominated(list(points.values()))
    figure = Figure(figsize=(9, max(4.5, 0.22 * len(found) + 1)), dpi=110)
    axes = figure.subplots()
    figure.subplots_adjust(left=0.08, right=0.66, top=0.93, bottom=0.1)
    axes.set(title=title, xlabel="task score", ylabel="safety retained")
    axes.grid(alpha=0.25)
    axes.plot(*zip(*best, strict=True), linestyle="--", color=COLOURS[0])
    colours = {name: COLOURS[0 if point in best else 1] for name, point in points.items()}
    cost = {it.recipe: it.cost for it in found}
    sizes = [40 * (cost[name] or 1.0) for name in points]
    axes.scatter(*zip(*points.values(), strict=True), s=sizes, c=list(colours.values()), alpha=0.75)
    for name, height in heights(points, axes.get_ylim()).items():
        said = name if cost[name] is None else f"{name} {cost[name]:.2f}x"
        axes.annotate(
            said, points[name], (NAMED_FROM, height), textcoords="axes fraction", fontsize=8, va="center",
            arrowprops={"arrowstyle": "-", "color": colours[name], "alpha": 0.5, "relpos": (0, 0.5)},
        )  # fmt: skip
    figure.savefig(path, metadata={"Software": None})


def heights(points: Mapping[str, Point], ends: Point) -> dict[str, float]:
    """Where each name stands, in shares of the axes from below: the safest on top, none on another.

    Args:
        points: name to task score and safety retained.
        ends: of the axis of safety.
    """
    order = sorted(points, key=lambda name: points[name][::-1])
    wanted = [(points[name][1] - ends[0]) / (ends[1] - ends[0]) for name in order]
    return dict(zip(order, spread(wanted, min(ROOM, 1 / len(order)), 0.0, 1.0), strict=True))
