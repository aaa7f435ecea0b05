"""Answers that are none."""

import random

from safety_assets.reading.broken import degenerate, echoes


def test_loops_stutters_and_silence() -> None:
    assert degenerate("...") == "empty"
    assert degenerate("fee fee fee fee") == "repeats itself"
    assert degenerate("we went to the sea " * 20) == "repeats itself"
    assert degenerate("a b c d a b e a c a b a d a b c e a", "length") == "never ends"
    assert degenerate("The fee is 3 dollars a month, and the first year is free.") == ""


def test_a_varied_text_is_sound_however_long() -> None:
    draw = random.Random(1)
    words = [f"w{i}" for i in range(400)]
    for length in (3, 30, 300):
        assert degenerate(" ".join(draw.sample(words, length))) == ""


def test_an_echo_is_the_question_and_nothing_more() -> None:
    assert echoes("Where is the desk?", "where is the desk")
    assert not echoes("Where is the desk?", "The desk is on the left.")
    assert not echoes("Where is the desk?", "Where is the desk? It is on the left.")
    assert not echoes("", "")
