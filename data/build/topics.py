"""What is asked for: a verb with a thing. Harm needs a verb of harm and a thing of harm; either alone is harmless."""

from collections.abc import Mapping, Sequence

from data.build import words

THINGS = {category: things for category, (_, things, _) in words.HARM.items()}
VERBS_OF_HARM = {category: verbs for category, (verbs, _, _) in words.HARM.items()}
HARMLESS_VERBS = {category: verbs for category, (_, _, verbs) in words.HARM.items()}


def topics(verbs: Mapping[str, Sequence[str]], things: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Every verb with every thing of its category: (category, topic)."""
    return [
        (category, f"{verb} {thing}") for category, own in things.items() for verb in verbs[category] for thing in own
    ]


HARM_TOPICS = topics(VERBS_OF_HARM, THINGS)
SAFE_TOPICS = topics(HARMLESS_VERBS, THINGS)
TRAINING_HARM_TOPICS = topics(VERBS_OF_HARM, words.TRAINING_HARM)
TRAINING_SAFE_TOPICS = topics(HARMLESS_VERBS, words.TRAINING_HARM)
UNSEEN_TOPICS = topics(VERBS_OF_HARM, words.UNSEEN_HARM)
