"""What the user interface shows of an artefact: plain values, masked previews of frames, small drawings."""

import base64
import math
import re
from pathlib import Path

import dagster as dg
import polars as pl

from safety_assets.corpus.passes import masked_text
from safety_assets.flows.workspace import PREVIEW_ROWS, Made, Markdown, Preview, Svg

PREVIEW_CHARACTERS = 80
WIDE = 80
"""Characters of a path that stand in one line of the metadata table."""
LOOKED_AT = 600
"""Characters of a chat in which personal data is looked for: enough that what is shown of it is recognised."""
LONG_DIGITS = re.compile(r"\d(?:[\d\s().-]{5,})\d")
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def shown(made: Made) -> dict[str, dg.MetadataValue]:
    """The metadata of a materialization."""
    manifest = made.artefact.manifest
    entries: dict[str, object] = {
        **made.metadata,
        "digest": Markdown(_folded(manifest.digest)),
        "cached": made.cached,
        "made_at": manifest.made_at,
        "made_by_run": manifest.run_id,
        "folder": made.artefact.path,
    }
    values = {name: metadata_value(value) for name, value in entries.items() if value is not None}
    return values | {"inputs": dg.MetadataValue.json(dict(manifest.inputs))}


def metadata_value(value: object) -> dg.MetadataValue:
    """A value of a flow's metadata as Dagster's own kind."""
    match value:
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(value) if math.isfinite(value) else dg.MetadataValue.text(str(value))
        case Path():
            return path_value(value)
        case Markdown():
            return dg.MetadataValue.md(value.text)
        case Svg():
            return dg.MetadataValue.md(drawing(value.text))
        case pl.DataFrame():
            return dg.MetadataValue.md(preview(value, value.height))
        case Preview():
            return dg.MetadataValue.md(preview(value.first, value.rows))
        case dict() | list():
            return dg.MetadataValue.json(value)
        case _:
            return dg.MetadataValue.text(str(value))


def _folded(digest: str) -> str:
    """A digest that may be broken into lines after every sixteenth digit, as code that is copied without the breaks."""
    return f"`{digest[:16]}` `{digest[16:32]}` `{digest[32:48]}` `{digest[48:]}`"


def path_value(path: Path) -> dg.MetadataValue:
    """A path; a long one as lines that fit into the table, which does not break one by itself."""
    if len(str(path)) <= WIDE:
        return dg.MetadataValue.path(path)
    lines = [""]
    for part in re.findall(r"/?[^/]+", str(path)):
        if lines[-1] and len(lines[-1] + part) > WIDE:
            lines.append("")
        lines[-1] += part
    return dg.MetadataValue.md("  \n".join(f"`{line}`" for line in lines))


def drawing(svg: str) -> str:
    """An SVG as a Markdown image without any file."""
    return f"![](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def preview(frame: pl.DataFrame, num_rows: int) -> str:
    """The first rows of a table as Markdown, personal data and secrets masked, and how many rows it has."""
    rows = [[_cell(value) for value in row] for row in frame.head(PREVIEW_ROWS).iter_rows()]
    lines = [frame.columns, ["---"] * frame.width, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{num_rows} rows"


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
    if isinstance(value, list):  # a chat: what the audit would mask is not kept in Dagster's history either
        text = masked_text(text[:LOOKED_AT])
    masked = ADDRESS.sub("<address>", LONG_DIGITS.sub("<digits>", text))
    short = masked if len(masked) <= PREVIEW_CHARACTERS else masked[: PREVIEW_CHARACTERS - 1] + "…"
    return short.replace("|", "\\|").replace("\n", " ")
