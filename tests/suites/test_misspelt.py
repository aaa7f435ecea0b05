"""Typos that are derived: the same each time, and never in what is asked about."""

import re

from safety_assets.suites.misspelt import misspelt

PLAIN = "Which river in northern Scotland flows past the word 'harbour' and 12 bridges?"


def test_slips_are_the_same_each_time_and_there_is_one_at_least() -> None:
    assert misspelt(PLAIN) == misspelt(PLAIN) != PLAIN
    assert misspelt("Name it.") != "Name it."
    assert misspelt("7 + 6?") == "7 + 6?"


def test_names_numbers_quotes_and_the_word_asked_about_stay() -> None:
    for text in (PLAIN, "Spell the word garden, then stop.", "Call Edinburgh twelve times, call Inverness never."):
        for kept in re.findall(r"(?<!^)\b[A-Z]\w+|\d+|'[^']*'|(?<=word )\w+", text):
            assert kept in misspelt(text)


def test_half_of_the_long_words_slip_and_keep_their_first_letter() -> None:
    text = "several people gather around another wooden table before dinner"
    pairs = list(zip(text.split(), misspelt(text).split(), strict=True))
    assert sum(a != b for a, b in pairs) == (len(pairs) + 1) // 2
    assert all(a[0] == b[0] for a, b in pairs)
