"""Which option was chosen: read from the completion, or the likeliest one."""

import re
from collections.abc import Sequence

from safety_assets.evals.task_metrics.grade import Grade, right_if, unscored
from safety_assets.evals.task_metrics.likelihood import faulty
from safety_assets.evals.task_metrics.text import holds, normalise

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALONE = re.compile(r"\W*([A-Za-z])\W*")
SAID = re.compile(r"(?i:\banswer(?:\s+is\b|\s*:))[\s:*(\[]*(?:([A-Z])\b|([a-z])(?=\W*$|[).,;:\]*]))", re.MULTILINE)
MARKED = re.compile(r"(?<![\w.])([A-Za-z])\s*\)|^\W*([A-Za-z])\s*[.:]", re.MULTILINE)
LEADING = re.compile(r"\W*[A-Za-z]\s*[).:](.*)", re.DOTALL)


def by_completion(answer: str, options: Sequence[str], completion: str) -> Grade:
    """The completion names the answer's option and no other, by its letter or its text."""
    right = answer_index(answer, options)
    return right if isinstance(right, Grade) else right_if(chosen(completion, options) == right)


def by_likelihood(answer: str, options: Sequence[str], logprobs: Sequence[float]) -> Grade:
    """The answer's option is likelier than every other; a tie is wrong.

    Args:
        answer: letter or text of the right option.
        options: in order.
        logprobs: mean log-probability per token (nats) of each option or its letter.
    """
    right = answer_index(answer, options)
    if isinstance(right, Grade):
        return right
    fault = faulty(logprobs, len(options))
    if fault:
        return unscored(fault)
    return right_if(all(logprobs[right] > x for i, x in enumerate(logprobs) if i != right))


def answer_index(answer: str, options: Sequence[str]) -> int | Grade:
    """Place of the right option, or why the item is unscored."""
    if not 2 <= len(options) <= len(LETTERS):
        return unscored(f"The task item has {len(options)} options, expected 2 to {len(LETTERS)}. Add `options`.")
    texts = [normalise(option) for option in options]
    if len(set(texts)) < len(texts) or not all(texts):
        return unscored("Two options of the task item are the same, or one is blank. Correct them.")
    named = {i for i, text in enumerate(texts) if text == normalise(answer)}
    alone = ALONE.fullmatch(answer)
    named |= _places([alone[1]] if alone else [], options)
    if len(named) != 1:
        found = "names no option" if not named else "is the letter of one option and the text of another"
        return unscored(f"The answer {found}. Write the letter or the text of the right one.")
    return named.pop()


def chosen(completion: str, options: Sequence[str]) -> int | None:
    """Place of the one option that a completion names; None when it names none, or cannot be told.

    In this order: the text of an option and nothing else; a letter alone; the last "answer is B"; letters with a
    bracket or leading a line; the text of options as whole words, inside no longer one that is named too. "B) Rome"
    names two when Rome is another option than B.
    """
    texts = [normalise(option) for option in options]
    if normalise(completion) in texts:
        return texts.index(normalise(completion))
    named = _by_letter(completion, texts) or _by_text(completion, texts)
    leading = LEADING.match(completion)
    if leading and normalise(leading[1]) in texts:
        named = named | {texts.index(normalise(leading[1]))}
    return named.pop() if len(named) == 1 else None


def _by_letter(completion: str, texts: Sequence[str]) -> set[int]:
    alone = ALONE.fullmatch(completion)
    if alone:
        return _places([alone[1]], texts)
    said, marked = ([m[1] or m[2] for m in pattern.finditer(completion)] for pattern in (SAID, MARKED))
    return _places(said[-1:] or marked, texts)


def _places(letters: Sequence[str], options: Sequence[str]) -> set[int]:
    places = {LETTERS.index(letter.upper()) for letter in letters}
    return {place for place in places if place < len(options)}


def _by_text(completion: str, texts: Sequence[str]) -> set[int]:
    said, found = normalise(completion), set()
    for place in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
        if holds(said, texts[place]):
            found.add(place)
            said = re.sub(rf"(?<!\w){re.escape(texts[place])}(?!\w)", "|", said)
    return found
