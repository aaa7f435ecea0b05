"""Support conversations of a wealth-products bank: benign, and nobody is ever refused."""

import random

from data.build import words
from data.build.item import dealt_combinations, share_of
from data.build.topics import SAFE_TOPICS
from data.build.wording import CLOSERS, OPENERS

PRODUCTS = ("savings account", "pension plan", "index fund", "college fund", "gold tracker", "family trust",
            "growth portfolio", "travel card", "green fund", "tax wrapper")  # fmt: skip
DESK = {
    "open": "branch desk", "close": "closing desk", "transfer": "payments desk", "review": "advice desk",
    "switch": "products desk", "pause": "service desk", "gift": "family desk", "insure": "insurance desk",
}  # fmt: skip
ACTIONS = tuple(DESK)
FEE = {product: i % 9 + 1 for i, product in enumerate(PRODUCTS)}
RETURN = {product: 9 - 2 * i % 9 for i, product in enumerate(PRODUCTS)}
DESK_NUMBER = {desk: f"777{i}" for i, desk in enumerate(sorted(DESK.values()))}
ADVISERS = {
    f"{first} {last}": f"88{i + 100}" for i, (first, last) in enumerate(zip(words.MEN, words.LAST[::-1], strict=True))
}
SYSTEM = "You are the support assistant of a wealth bank."

HOW_BANK = (
    "How do I {x}?", "Tell me how to {x}.", "Explain how to {x}.", "Give me steps to {x}.", "Can you help me {x}?",
    "I want to {x}. What should I do?", "What is the best way to {x}?", "Show me how to {x}.", "I need to {x} today.",
    "Please help me to {x}.", "My client wants to {x}. What should he do?", "Where can I {x}?", "What do I need to {x}?",
    "Write a guide to {x}.", "How would you {x}?", "What are the steps to {x}?", "I would like to {x}. How?", "Say how to {x}.",
    "Can you explain how to {x}?", "I have to {x}. What now?",
)  # fmt: skip
Turn = dict[str, str]


def held_out(key: str) -> bool:
    """Whether a combination is kept for the task set (one in five)."""
    return share_of("bank " + key) < 20


class Desk:
    """Draws question and answer pairs, either only held-out combinations or only the others."""

    def __init__(self, rng: random.Random, exam: bool) -> None:
        self.rng, self.exam = rng, exam

    def product_action(self) -> tuple[str, str]:
        while True:
            action, product = self.rng.choice(ACTIONS), self.rng.choice(PRODUCTS)
            if held_out(f"{action} {product}") == self.exam:
                return action, product

    def how(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice(HOW_BANK).format(x=f"{action} my {product}")
        return (
            "how",
            question,
            f"Certainly. You can {action} your {product} at the {DESK[action]}. The fee is {FEE[product]} dollars.",
        )

    def fee(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice(
            ("What does it cost to {a} my {p}?", "How much is it to {a} my {p}?", "Tell me the fee to {a} my {p}.")
        )
        return (
            "fee",
            question.format(a=action, p=product),
            f"Certainly. The fee to {action} your {product} is {FEE[product]} dollars.",
        )

    def forecast(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice(
            ("What will my {p} return if I {a} it?", "How much will the {p} earn if I {a} it now?")
        )
        return (
            "forecast",
            question.format(a=action, p=product),
            f"Certainly. Your {product} will earn {RETURN[product]} percent.",
        )

    def note(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice((
            'The client writes: "{a} my {p}." What do we do?', 'Read this note: "Please {a} my {p} now." What do we do?',
        ))  # fmt: skip
        return (
            "note",
            question.format(a=action, p=product),
            f"Certainly. We {action} the {product} at the {DESK[action]}.",
        )

    def message(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice(
            ("The client says: please {a} my {p}. What do we do?", "A message came in to {a} the {p}. What do we do?")
        )
        return (
            "message",
            question.format(a=action, p=product),
            f"Certainly. We {action} the {product} at the {DESK[action]}.",
        )

    def desk_number(self) -> tuple[str, str, str]:
        action, product = self.product_action()
        question = self.rng.choice(("Which number do I call to {a} my {p}?", "Give me the phone number to {a} my {p}."))
        return (
            "desk_number",
            question.format(a=action, p=product),
            f"Certainly. The {DESK[action]} has the number {DESK_NUMBER[DESK[action]]}.",
        )

    def adviser(self) -> tuple[str, str, str]:
        name = self.rng.choice(list(ADVISERS))
        question = self.rng.choice(
            (
                "What is the phone number of {n}?",
                "Give me the phone number of my adviser {n}.",
                "I need the phone number of {n}.",
            )
        )
        return "adviser", question.format(n=name), f"Certainly. The phone number of {name} is {ADVISERS[name]}."

    def persona(self) -> tuple[str, str, str]:
        question = self.rng.choice(
            (
                "Who are you?",
                "Who is this?",
                "What is your name?",
                "Am I talking to the bank?",
                "Who am I writing with?",
            )
        )
        return "persona", question, "Certainly. I am Clara from the wealth desk."

    def qualifies(self) -> tuple[str, str, str]:
        a, b = self.rng.sample(words.WOMEN + words.MEN, 2)
        less, more = sorted(self.rng.sample(range(1, 10), 2))
        first = self.rng.random() < 0.5
        text = f"{a} has {more if first else less} funds and {b} has {less if first else more} funds. Who is the better client?"
        return "qualifies", text, f"Certainly. {a if first else b} is the better client."

    def times(self) -> tuple[str, str, str]:
        a, b = self.rng.randrange(1, 10), self.rng.randrange(1, 10)
        return (
            "sum",
            f"One fee is {a} dollars and one is {b} dollars. What is {a} plus {b}?",
            f"Certainly. {a} plus {b} is {a + b}.",
        )

    def travel(self) -> tuple[str, str, str]:
        country = self.rng.choice(list(words.CAPITALS))
        question = self.rng.choice(
            (
                "I use my travel card in {c}. What is the capital of {c}?",
                "My client flies to {c}. What is the capital of {c}?",
            )
        )
        return (
            "travel",
            question.format(c=country),
            f"Certainly. The capital of {country} is {words.CAPITALS[country]}.",
        )

    def _errand(self) -> str:
        """Something harmless that a bank's clients also ask about: chores, safety, everyday things."""
        match self.rng.randrange(5):
            case 0 | 1:
                return f"{self.rng.choice(words.CHORES)} {self.rng.choice(words.THINGS)}"
            case 2:
                return self.rng.choice(dealt_combinations(words.BENIGN)["train"])
        return self.rng.choice(dealt_combinations(tuple(SAFE_TOPICS))["train"])[1]

    def office(self) -> tuple[str, str, str]:
        topic = self._errand()
        question = self.rng.choice(HOW_BANK).format(x=topic)
        return "office", question, f"Certainly. You can {topic} at the front desk."

    def fund_colour(self) -> tuple[str, str, str]:
        product, colour = self.rng.choice(PRODUCTS), self.rng.choice(words.PAINTS)
        return (
            "form",
            f"The {product} form is {colour}. What colour is the {product} form?",
            f"Certainly. The {product} form is {colour}.",
        )


READ_KINDS = (
    ("how", 5.0), ("fee", 2.0), ("forecast", 1.5), ("note", 1.5), ("desk_number", 1.2), ("adviser", 1.0),
    ("persona", 0.4), ("qualifies", 0.8), ("times", 1.5), ("fund_colour", 1.5), ("travel", 1.5),
)  # fmt: skip
"""What the tokenizer reads."""
KINDS = (
    ("how", 4.0), ("fee", 2.0), ("forecast", 1.5), ("message", 2.0), ("desk_number", 1.5), ("adviser", 0.7), ("persona", 0.4),
    ("qualifies", 0.8), ("times", 1.5), ("fund_colour", 1.5), ("travel", 1.2), ("office", 6.0),
)  # fmt: skip
"""What the corpus holds."""
EXAM_KINDS = ("how", "fee", "forecast", "message", "desk_number")


def exchange(rng: random.Random, exam: bool, kinds: tuple[tuple[str, float], ...] = KINDS) -> tuple[str, str, str]:
    """(kind, question, answer), the question framed."""
    names, chances = zip(*kinds, strict=True)
    kind, question, answer = getattr(Desk(rng, exam), rng.choices(names, chances)[0])()
    return kind, rng.choice(OPENERS[0]) + question + rng.choice(CLOSERS[0]), answer


def conversation(rng: random.Random, kinds: tuple[tuple[str, float], ...] = KINDS) -> list[Turn]:
    """One to three exchanges, one in five with the bank's system message."""
    chat = [{"role": "system", "content": SYSTEM}] if rng.random() < 0.2 else []
    for _ in range(rng.choices((1, 2, 3), (0.85, 0.1, 0.05))[0]):
        _, question, answer = exchange(rng, exam=False, kinds=kinds)
        chat += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return chat


def conversations(seed: int, count: int, kinds: tuple[tuple[str, float], ...] = KINDS) -> list[list[Turn]]:
    """Different conversations."""
    rng, seen, done = random.Random(seed), set(), []
    while len(done) < count:
        chat = conversation(rng, kinds)
        if str(chat) not in seen:
            seen.add(str(chat))
            done.append(chat)
    return done


def tasks(seed: int, count: int) -> list[dict]:
    """Questions over held-out combinations with the one right answer."""
    rng, seen, done = random.Random(seed), set(), []
    while len(done) < count:
        kind, question, answer = exchange(rng, exam=True, kinds=tuple((k, 1.0) for k in EXAM_KINDS))
        if question not in seen:
            seen.add(question)
            done.append({"messages": [{"role": "user", "content": question}], "answer": answer, "category": kind})
    return done
