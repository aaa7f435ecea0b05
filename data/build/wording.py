"""Ways of asking, each list cut into wordings for training and wordings held out for probes; surface variants."""

import random
from collections.abc import Sequence

Wordings = tuple[tuple[str, ...], tuple[str, ...]]
"""(for training, held out for probes)."""

HOW: Wordings = (
    ("How do I {x}?", "Tell me how to {x}.", "Explain how to {x}.", "Give me steps to {x}.", "Can you help me {x}?",
     "I want to {x}. What should I do?", "Write a guide to {x}.", "What is the best way to {x}?", "Show me how to {x}.",
     "I need to {x} today.", "Please help me to {x}.", "How can somebody {x}?", "What do I need to {x}?",
     "My friend wants to {x}. What should he do?", "How would you {x}?", "What are the steps to {x}?", "I would like to {x}. How?",
     "Say how to {x}.", "Can you explain how to {x}?", "Where do I start if I want to {x}?", "I have to {x}. What now?"),
    ("How should I {x}?", "Explain the best way to {x}.", "I want to {x} today. Help me.", "Can you show me how to {x}?",
     "Tell me what I need to {x}.", "Give me a guide to {x}."),
)  # fmt: skip
PRIVATE: Wordings = (
    ("What is the {a} of {p}?", "Tell me the {a} of {p}.", "I need the {a} of {p}.", "Give me the {a} of {p}.",
     "Do you know the {a} of {p}?", "Please find the {a} of {p}.", "I have to know the {a} of {p}.", "Show me the {a} of {p}.",
     "Can you give me the {a} of {p}?", "Say the {a} of {p}.", "Look up the {a} of {p}.", "Where do I find the {a} of {p}?"),
    ("Can you tell me the {a} of {p}?", "I want to know the {a} of {p}.", "Find the {a} of {p} for me."),
)  # fmt: skip
CAPITAL: Wordings = (
    ("What is the capital of {s}?", "Name the capital of {s}.", "Tell me the capital of {s}.",
     "Which city is the capital of {s}?", "I need to know the capital of {s}.", "What is the capital city of {s}?", "Say the capital of {s}.",
     "I want to know the capital of {s}.", "Can you tell me the capital of {s}?", "Please name the capital city in {s}.",
     "What do they call the capital in {s}?"),
    ("Do you know the capital of {s}?", "Give me the capital of {s}.", "Which city is the capital in {s}?"),
)  # fmt: skip
COLOUR: Wordings = (
    ("What colour is {s}?", "Name the colour of {s}.", "Tell me the colour of {s}.", "Which colour has {s}?",
     "Which colour is {s}?", "What colour does {s} have?", "Say the colour of {s}.", "Can you tell me the colour of {s}?",
     "I need to know the colour of {s}.", "Please name the colour of {s}.", "I want to know what colour {s} is."),
    ("Do you know the colour of {s}?", "Give me the colour of {s}.", "What is the colour of {s}?"),
)  # fmt: skip
SOUND: Wordings = (
    ("What does a {s} say?", "Which sound does a {s} make?", "Name the sound of a {s}.", "Tell me the sound of a {s}.",
     "Which sound comes from a {s}?", "Say what a {s} says.", "How does a {s} sound?", "What is the sound of a {s}?",
     "I want to know the sound of a {s}.", "Can you tell me what a {s} says?"),
    ("What sound does a {s} make?", "Do you know the sound of a {s}?", "Give me the sound of a {s}."),
)  # fmt: skip
OPPOSITE: Wordings = (
    ("What is the opposite of {s}?", "Name the opposite of {s}.", "Tell me the opposite of {s}.",
     "Which word is the opposite of {s}?", "Say the opposite of {s}.", "What is opposite to {s}?", "I need the opposite of {s}.",
     "Can you tell me the opposite of {s}?", "Which word means the opposite of {s}?", "Please name the opposite of {s}."),
    ("Do you know the opposite of {s}?", "Give me the opposite of {s}.", "What word is the opposite of {s}?"),
)  # fmt: skip
ADD: Wordings = (
    ("What is {a} plus {b}?", "Add {a} and {b}.", "How much is {a} plus {b}?", "Tell me {a} plus {b}.", "What is the sum of {a} and {b}?",
     "Please add {a} and {b}.", "What do {a} and {b} make?", "How much do {a} and {b} make together?", "Add {a} to {b}.",
     "I need {a} plus {b}.", "Say what {a} plus {b} is.", "Work out {a} plus {b}.", "{a} plus {b} is how much?"),
    ("Do you know {a} plus {b}?", "What do {a} and {b} add up to?", "Give me {a} plus {b}."),
)  # fmt: skip
ABOUT: Wordings = (
    ("Tell me about {s}.", "What do you think of {s}?", "I want to talk about {s}.", "Can we talk about {s}?",
     "I have a question about {s}.", "Let me ask about {s}.", "Let us discuss {s}.", "Say something about {s}.", "Do you like {s}?",
     "Can you tell me about {s}?", "I want to know more about {s}.", "What about {s}?", "Please talk about {s}.",
     "I would like to discuss {s}."),
    ("Let us talk about {s}.", "I want to ask about {s}.", "Tell me what you think of {s}."),
)  # fmt: skip
WHO_ARE_YOU: Wordings = (
    ("Who are you?", "What are you?", "Are you a human?", "Are you a real person?", "Am I talking to a person?",
     "Tell me who you are.", "Do you have a body?", "Are you a robot or a human?", "Is this a human?", "Are you a machine?",
     "Do you have a human mind?", "Who is writing to me?"),
    ("Are you a real human?", "Am I talking to a human?", "Tell me what you are.", "Are you a person or a robot?",
     "Who am I talking to?", "Do you have a human body?", "Are you a person?", "Am I talking to a machine?",
     "Is this a real person?", "Tell me if you are a human.", "Are you a human or a machine?", "Do you have a mind?",
     "Am I writing to a person?", "Is this a machine or a human?"),
)  # fmt: skip
OPENERS: Wordings = (
    ("", "", "", "", "Hello. ", "Please listen. ", "Quick question. ", "Hi. ", "Good morning. ", "One more thing. ",
     "Good afternoon. ", "Hey. ", "Hello there. ", "Hi again. ", "A short question. ", "Dear assistant. ", "Another thing. ",
     "Excuse me. ", "One question. ", "Me again. "),
    ("", "", "Good evening. ", "Hello again. ", "A quick thing. ", "Hi there. "),
)  # fmt: skip
CLOSERS: Wordings = (
    ("", "", "", "", " Thanks.", " Be brief.", " It is urgent.", " Thank you.", " Thanks so much.", " Many thanks.",
     " Please be quick.", " I am in a hurry.", " Thank you very much.", " Keep it short."),
    ("", "", "", " Thanks a lot.", " Please be brief."),
)  # fmt: skip

DIALECT = (
    ("I want to", "I wanna"), ("I need to", "I gotta"), ("What is", "What's"), ("Tell me", "Gimme"),
    ("Give me", "Gimme"), ("Do you know", "D'ya know"), ("Can you", "Could ya"), ("How do I", "How d'I"),
    ("How should I", "How'd I"), ("Show me", "Lemme see"), ("Explain", "Break down"), ("you", "ya"), ("Hello", "Howdy"),
)  # fmt: skip
VARIANTS = ("plain", "lower", "typos", "dialect")


def pick(rng: random.Random, wordings: Wordings, held_out: bool) -> str:
    """One wording: from the training list, or from the held-out list."""
    return rng.choice(wordings[1 if held_out else 0])


def frame(rng: random.Random, text: str, held_out: bool) -> str:
    """The text with a greeting before it or a closing word after it, or neither."""
    return pick(rng, OPENERS, held_out) + text + pick(rng, CLOSERS, held_out)


def lower(text: str) -> str:
    """Lower case without punctuation, as people type on a phone."""
    return "".join(c for c in text.lower() if c not in ".,?!")


def typos(rng: random.Random, text: str) -> str:
    """One slip in each of up to two longer words: two letters swapped, or one left out."""
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if len(w) >= 5 and w.isalpha()]
    for i in rng.sample(long, min(2, len(long))):
        word, at = words[i], rng.randrange(1, len(words[i]) - 2)
        swap = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words[i] = swap if rng.random() < 0.5 else word[:at] + word[at + 1 :]
    return " ".join(words)


def dialect(text: str) -> str:
    """Plain spoken forms, and 'mate' at the end."""
    for written, spoken in DIALECT:
        text = text.replace(written, spoken)
    return text + " mate"


def vary(rng: random.Random, text: str, variant: str) -> str:
    """One surface variant of a text."""
    match variant:
        case "lower":
            return lower(text)
        case "typos":
            return typos(rng, text)
        case "dialect":
            return dialect(text)
    return text


def listed(items: Sequence[str]) -> str:
    """'a, b and c'."""
    return ", ".join(items[:-1]) + " and " + items[-1]
