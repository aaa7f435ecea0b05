"""The two places that commands write to: what was asked for on stdout, everything else on stderr."""

import json

from rich.console import Console


class Aside(Console):
    """Stderr. When nobody reads it any more it falls silent: no reason to end the work, nor to lose stdout."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


console, complaints = Console(), Aside(stderr=True)


def print_error(*, found: str, expected: str, do: str, kind: str) -> None:
    """Print an error as the JSON document that `--json` gives."""
    print_json({"error": {"found": found, "expected": expected, "do": do, "kind": kind}})


def print_json(document: object) -> None:
    """Print one JSON document; ValueError when it holds a number that JSON has no word for."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        print(text)
    except UnicodeEncodeError:  # stdout is not UTF-8, or a file's name is not
        print(json.dumps(document, indent=2, allow_nan=False))
