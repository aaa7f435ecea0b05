"""A request as somebody types it in a hurry: the same text gives the same slips."""

import random
import re

WORD = re.compile(r"(?<![\w'])(?<!word )[A-Za-z][a-z]{3,}(?![\w'])")
QUOTED = re.compile(r"(?:^|(?<=\s))'[^']*'|\"[^\"]*\"")


def misspelt(text: str) -> str:
    """A text with slips in every second word or so of four letters or more, at least in one.

    Two neighbours change places or a letter is typed twice, and of a long word a letter may be left out; the first
    letter stays. Names (capitals inside a sentence), numbers, what stands in quotes and what follows "word" are left as
    they are: they are what is asked about.
    """
    draw = random.Random(text)
    quoted = [match.span() for match in QUOTED.finditer(text)]
    words = [m for m in WORD.finditer(text) if _plain(text, m) and not any(a <= m.start() < b for a, b in quoted)]
    chosen = draw.sample(words, (len(words) + 1) // 2)
    for match in sorted(chosen, key=re.Match.start, reverse=True):
        text = text[: match.start()] + _slip(match.group(), draw) + text[match.end() :]
    return text


def _plain(text: str, word: re.Match[str]) -> bool:
    return word.group().islower() or word.start() == 0 or text[: word.start()].rstrip()[-1:] in (".", "?", "!")


def _slip(word: str, draw: random.Random) -> str:
    place = draw.randrange(1, len(word) - 1)
    a, b = word[place], word[place + 1]
    slips = [word[:place] + a + word[place:]]
    if len(word) > 5:
        slips.append(word[:place] + word[place + 1 :])
    if a != b:
        slips += [word[:place] + b + a + word[place + 2 :]] * 2
    return draw.choice(slips)
