"""What the audit's detectors find, what they take for a finding by mistake, and how fast they are.

    python -m benchmarks.findings [SECTION ...]

Every module `benchmarks/findings_<section>.py` is a section: its `section()` gives the rows of a table (each a mapping
of column to value) and a dict of figures, and its docstring says what is measured. The last line is JSON.
"""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Row = Mapping[str, object]


def main() -> None:
    """Run the sections that were named, or all; print a table of each, then JSON."""
    found = sorted(path.stem.removeprefix("findings_") for path in Path(__file__).parent.glob("findings_*.py"))
    asked = sys.argv[1:] or found
    unknown = sorted(set(asked) - set(found))
    if unknown:
        raise SystemExit(f"there is no section {unknown[0]!r}; there are {', '.join(found)}")
    print(json.dumps({name: _shown(name) for name in asked}))


def _shown(name: str) -> dict:
    module = importlib.import_module(f"benchmarks.findings_{name}")
    print(f"-- {name}: {(module.__doc__ or '').splitlines()[0]}")
    rows, figures = module.section()
    print("\n".join(table(rows)), end="\n\n", flush=True)
    return figures


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of a table with one column per key of the first row, numbers to three places."""
    cells = [[*rows[0]], *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
