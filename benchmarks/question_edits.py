"""Light edits of a question that leave what it asks: spelling, small words, courtesy; and one that may not."""

import random
import re
from collections.abc import Callable

from safety_assets.corpus.words import STOP_WORDS

Edit = Callable[[random.Random, str], str]


def _bare(word: str) -> str:
    return re.sub(r"\W", "", word).lower()


def case(rng: random.Random, text: str) -> str:
    """Capitals, no punctuation."""
    return re.sub(r"[^\w\s']", " ", text).upper()


def courtesy(rng: random.Random, text: str) -> str:
    """A greeting before and thanks behind."""
    before = rng.choice(("Hi! ", "Good morning. ", "Please help. ", "One question: "))
    return before + text + rng.choice((" Thanks.", " Please be quick.", " Thank you very much."))


def misspelt(rng: random.Random, text: str) -> str:
    """A letter left out, doubled or swapped in one word of four letters and more."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(_bare(word)) >= 4]
    if not long:
        return text
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    changed = (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:],
               word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :])  # fmt: skip
    words[place] = rng.choice(changed)
    return " ".join(words)


def _small(text: str) -> list[int]:
    return [i for i, word in enumerate(text.split()) if i and _bare(word) in STOP_WORDS]


def small_word_less(rng: random.Random, text: str) -> str:
    """One word that says how something is asked left out."""
    words, places = text.split(), _small(text)
    return " ".join(words[:place] + words[place + 1 :]) if places and (place := rng.choice(places)) else text


def small_word_other(rng: random.Random, text: str) -> str:
    """One such word replaced by another."""
    words, places = text.split(), _small(text)
    if places:
        words[rng.choice(places)] = rng.choice(("the", "a", "my", "this", "can", "could", "would", "to"))
    return " ".join(words)


def word_more(rng: random.Random, text: str) -> str:
    """One word put in."""
    words = text.split()
    place = rng.randrange(1, len(words)) if len(words) > 1 else 1
    return " ".join([*words[:place], rng.choice(("really", "just", "actually", "please", "quickly")), *words[place:]])


def swapped(rng: random.Random, text: str) -> str:
    """Two neighbours swapped."""
    words = text.split()
    if len(words) > 2:
        place = rng.randrange(len(words) - 1)
        words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join(words)


def any_word_less(rng: random.Random, text: str) -> str:
    """Any one word left out: where it says what the question is about, another question may be left."""
    words = text.split()
    place = rng.randrange(len(words))
    return " ".join(words[:place] + words[place + 1 :])


LIGHT: dict[str, Edit] = {
    "case": case, "courtesy": courtesy, "misspelt": misspelt, "small word less": small_word_less,
    "small word other": small_word_other, "word more": word_more, "swapped": swapped,
}  # fmt: skip
"""Edits after which the question is the same."""
