"""Progress: what is said of a message, how often, and where."""

import io

import pytest
from rich.console import Console

from safety_assets.commands.consoles import Aside
from safety_assets.commands.messages import Pace, Stretch, duration, heard, rate_words
from safety_assets.commands.progress import LINE_SECONDS, progress

STEPS = 100


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(number: int, of: int = STEPS) -> dict:
    return {"event": "step", "step": number, "steps": of, "loss": 2.5, "learning_rate": 1e-4}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def plain() -> Console:
    return Console(file=io.StringIO(), width=200)


def on_a_terminal() -> Console:
    return Console(file=Terminal(), width=200, force_terminal=True, force_interactive=True)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (step(5), Stretch("training", 5, 100, "steps", "loss 2.50")),
        ({"event": "answered", "model": "base", "done": 3, "of": 9}, Stretch("asking base", 3, 9, "answers")),
        ({"share": 0.1, "state": "started"}, "share 0.1 started"),
        (
            {"share": 0.1, "state": "scored", "safety": 8.0, "over_refusal": None},
            "share 0.1: safety 8.00, share of look-alikes refused unknown",
        ),
        (
            {"event": "rail_cost", "answers": 9, "credits": 1.8, "minutes": 1},
            "RAIL: 9 answers leave this machine, 1.8 credits, 1 minutes or more",
        ),
        ({"event": "sweep", "done": 1, "of": 4}, Stretch("sweep", 1, 4, "runs")),
        ({"event": "audit", "of_what": "corpus_audit", "done": 1, "of": 4}, Stretch("audit", 1, 4, "parts")),
        ({"event": "reading", "of_what": "corpus"}, "reading corpus"),
        ({"event": "watch", "step": 20, "scores": {"safety": 8.0}}, "step 20: safety 8.00"),
        (
            {"event": "monitor", "step": 20, "fallen": {"safety": 1.0}, "action": "stop"},
            "step 20: the monitor saw safety 1.00 fall; action stop",
        ),
        ({"event": "done", "steps": 4}, None),
        ({"event": "new", "n": 1}, "event new, n 1"),
    ],
)
def test_messages_in_words(message: dict, said: object) -> None:
    assert heard(message) == said


def test_rate_and_rest_are_measured_from_the_first_report(clock: Clock) -> None:
    pace = Pace(clock)
    assert pace.words(Stretch("training", 40, 100, "steps")) == "40 of 100 steps"  # resumed: nothing is known yet
    clock.now = 10.0
    assert pace.words(Stretch("training", 60, 100, "steps")) == "60 of 100 steps, 2.0 steps/s, 20 s left"
    clock.now = 15.0
    assert pace.words(Stretch("training", 20, 100, "steps")) == "20 of 100 steps"  # rolled back
    clock.now = 20.0
    assert "8.0 steps/s, 5.0 s left" in pace.words(Stretch("training", 60, 100, "steps"))
    clock.now = 21.0
    assert "left" not in pace.words(Stretch("training", 100, 100, "steps"))


def test_durations_and_rates_in_words() -> None:
    assert [duration(s) for s in (4.23, 40, 600, 12_600)] == ["4.2 s", "40 s", "10 min", "3.5 h"]
    assert rate_words(4.13, "steps") == "4.1 steps/s"
    assert rate_words(0.4, "steps") == "2.5 s per step"


def test_without_a_terminal_a_line_now_and_then(clock: Clock) -> None:
    console = plain()
    with progress(console=console, pace=Pace(clock)) as report:
        for number in range(STEPS):
            clock.now = number * 1.0
            report(step(number))
        report({"event": "watch", "step": 99, "scores": {"safety": 8.0}})
    lines = written(console).splitlines()
    assert len(lines) == (STEPS - 1) // LINE_SECONDS + 1
    assert lines[0] == "training: 10 of 100 steps, loss 2.50, 1.0 steps/s, 2 min left"
    assert lines[-1] == "step 99: safety 8.00"


def test_quick_work_says_nothing(clock: Clock) -> None:
    console = plain()
    with progress(console=console, pace=Pace(clock)) as report:
        for number in range(1, STEPS + 1):
            report(step(number))
    assert written(console) == ""


def test_sentences_between_two_lines_are_not_lost(clock: Clock) -> None:
    console = plain()
    with progress(console=console, pace=Pace(clock)) as report:
        report({"share": 0.1, "state": "started"})
        clock.now = 11.0
        report(step(7))
    assert written(console) == "share 0.1 started; training: 7 of 100 steps, loss 2.50\n"


def test_quiet_without_a_terminal_is_silent(clock: Clock) -> None:
    console = plain()
    with progress(quiet=True, console=console, pace=Pace(clock)) as report:
        for number in range(STEPS):
            clock.now = number * 100.0
            report(step(number))
            report({"share": 0.1, "state": "started"})
    assert written(console) == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_on_a_terminal_there_is_a_bar_until_the_last_step(clock: Clock, quiet: bool) -> None:
    console = on_a_terminal()
    with progress(quiet=quiet, console=console, pace=Pace(clock)) as report:
        report(step(1))
        clock.now = 1.0
        report(step(11))
        report({"event": "watch", "step": 11, "scores": {"safety": 8.0}})
        shown = written(console)
        report(step(STEPS))
        ended = written(console)
    assert "training" in shown
    assert "━" in shown
    assert "step 11: safety 8.00" in shown
    assert written(console) == ended  # the bar was cleared with the last step
    assert ended.count("\x1b[?25h") == ended.count("\x1b[?25l") == 1  # the cursor is back


def test_an_error_clears_the_bar() -> None:
    console = on_a_terminal()

    def interrupted() -> None:
        with progress(console=console) as report:
            report(step(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert written(console).endswith("\x1b[2K")
    assert "\x1b[?25h" in written(console)


def test_a_reader_that_went_away_does_not_end_the_work(clock: Clock) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with progress(console=Aside(file=Closed()), pace=Pace(clock)) as report:
        clock.now = 100.0
        report(step(1))


def test_nothing_goes_to_stdout(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    with progress(pace=Pace(clock)) as report:
        clock.now = 100.0
        report(step(1))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "training: 1 of 100 steps, loss 2.50\n"
