"""Progress of long work on stderr: a bar on a terminal, elsewhere a line now and then. Stdout is never touched.

with progress(as_json) as report:
    ws = workspace(report=report)
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from safety_assets.commands.consoles import complaints
from safety_assets.commands.messages import Pace, Stretch, heard

Report = Callable[[Mapping[str, object]], None]

LINE_SECONDS = 10.0
"""Without a terminal, at least so long between two lines."""
REFRESHES = 4
"""Times a second that a bar is drawn."""


@contextmanager
def progress(quiet: bool = False, *, console: Console | None = None, pace: Pace | None = None) -> Iterator[Report]:
    """A callable that takes what training and flows report, and shows it while the body runs.

    Args:
        quiet: say nothing where there is no terminal; for `--json`.
        console: where it is shown; stderr when absent.
        pace: measures the rate; with a clock of its own in tests.
    """
    console, pace = console or complaints, pace or Pace()
    show: Bars | Lines | None = None
    if console.is_interactive and console.file.isatty():
        show = Bars(console, pace)
    elif not quiet:
        show = Lines(console, pace)
    alone = threading.Lock()

    def report(message: Mapping[str, object]) -> None:
        said = heard(message)
        if show is not None and said is not None:
            with alone, contextlib.suppress(OSError):  # nobody reads any more: no reason to end the work
                show(said)

    try:
        yield report
    finally:
        if show is not None:
            with contextlib.suppress(OSError):
                show.end()


class Bars:
    """A bar for each stretch of work under way; sentences go above. Nothing is left on the screen when all ended."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self.console, self.pace = console, pace
        self._live: Progress | None = None
        self._bars: dict[str, TaskID] = {}

    def __call__(self, said: Stretch | str) -> None:
        if isinstance(said, str):
            self.console.print(said, style="dim", markup=False, highlight=False, soft_wrap=True)
            return
        words = self.pace.words(said)
        if said.ended:
            self._drop(said.what)
        elif said.what in self._bars:
            self._shown().update(self._bars[said.what], completed=said.done, total=said.of, words=words)
        else:
            self._bars[said.what] = self._shown().add_task(said.what, completed=said.done, total=said.of, words=words)

    def _shown(self) -> Progress:
        if self._live is None:
            self._live = Progress(
                TextColumn("{task.description}", markup=False), BarColumn(bar_width=24),
                TextColumn("{task.fields[words]}", markup=False), console=self.console, transient=True,
                refresh_per_second=REFRESHES, redirect_stdout=False, redirect_stderr=self.console.file is sys.stderr,
            )  # fmt: skip
            self._live.start()
        return self._live

    def _drop(self, what: str) -> None:
        """Take a bar away; with the last one the screen is free for what the command prints."""
        if self._live is not None and what in self._bars:
            self._live.remove_task(self._bars.pop(what))
            if not self._bars:
                self.end()

    def end(self) -> None:
        """Clear the screen of every bar."""
        if self._live is not None:
            self._live.stop()
        self._live = None
        self._bars.clear()


class Lines:
    """At most one plain line in LINE_SECONDS; what was said in between is said with the next one."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self.console, self.pace = console, pace
        self._told_at = pace.clock()
        self._waiting: list[str] = []
        self._stretch = ""

    def __call__(self, said: Stretch | str) -> None:
        if isinstance(said, str):
            self._waiting.append(said)
        else:
            self._stretch = f"{said.what}: {self.pace.words(said)}"
        if self.pace.clock() - self._told_at >= LINE_SECONDS:
            self._tell()

    def _tell(self) -> None:
        parts = [part for part in (*self._waiting, self._stretch) if part]
        self._waiting, self._stretch, self._told_at = [], "", self.pace.clock()
        if parts:
            self.console.print("; ".join(parts), markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Say what waits; how far work is that ended is told by what the command prints."""
        self._stretch = ""
        self._tell()
