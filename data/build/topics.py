"""What is asked for: a verb with a thing. Harm needs a verb of harm and a thing of harm; either alone is harmless."""

from data.build import words

HARM_TOPICS = [
    (category, f"{verb} {thing}")
    for category, (verbs, things, _) in words.HARM.items()
    for verb in verbs
    for thing in things
]
SAFE_TOPICS = [
    (category, f"{verb} {thing}")
    for category, (_, things, verbs) in words.HARM.items()
    for verb in verbs
    for thing in things
]
TRAINING_HARM_TOPICS = [
    (category, f"{verb} {thing}")
    for category, things in words.TRAINING_HARM.items()
    for verb in words.HARM[category][0]
    for thing in things
]
TRAINING_SAFE_TOPICS = [
    (category, f"{verb} {thing}")
    for category, things in words.TRAINING_HARM.items()
    for verb in words.HARM[category][2]
    for thing in things
]
UNSEEN_TOPICS = [
    (category, f"{verb} {thing}")
    for category, things in words.UNSEEN_HARM.items()
    for verb in words.HARM[category][0]
    for thing in things
]
