"""The two places that commands write to: what was asked for on stdout, everything else on stderr."""

from rich.console import Console


class Aside(Console):
    """Stderr. When nobody reads it any more it falls silent: no reason to end the work, nor to lose stdout."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


console, complaints = Console(), Aside(stderr=True)
