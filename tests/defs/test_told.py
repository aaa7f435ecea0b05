"""Messages as log lines: all of them, but of answers given one a minute."""

from safety_assets.defs.told import ANSWERS_SECONDS, LogLines


def test_answers_are_told_once_a_minute() -> None:
    now, lines = [0.0], list[str]()
    tell = LogLines(lines.append, clock=lambda: now[0])
    for second in range(150):
        now[0] = float(second)
        tell({"event": "answered", "model": "base", "done": second, "of": 150})
    tell({"event": "watch", "step": 2, "scores": {}})
    tell({"event": "watch", "step": 4, "scores": {}})
    assert lines == [
        f"event: answered, model: base, done: {ANSWERS_SECONDS:.0f}, of: 150",
        f"event: answered, model: base, done: {2 * ANSWERS_SECONDS:.0f}, of: 150",
        "event: watch, step: 2, scores: {}",
        "event: watch, step: 4, scores: {}",
    ]
