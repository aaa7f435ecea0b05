"""What harmless rows teach beside their subject: the shape of answers, who is speaking, playing a part.

Tuning on benign rows of these forms moves a model away from its alignment (Guan et al. 2025, "Picky LLMs"). None is a
fault: findings are of severity low, and the shares over the corpus are what to look at (`drift_shares`).
"""

import polars as pl

from safety_assets.corpus.sightings import sightings

_ITEM = r"(?m)^[ \t]*(?:[-*\x{2022}\x{2013}\x{25CF}\x{25AA}]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|[ivx]{1,4}[.)])[ \t]+\S"
_STEP = r"(?i)\b(?:step\s*\d+|(?:first|second|third|next|then|finally)(?:ly)?,)"
_MIN_ITEMS = 3
_KIND = (
    r"(?:large|small|helpful|friendly|advanced|powerful|pre-?trained|trained|generative|conversational|\w+-based|new"
    r"|simple)"
)
_AS_AI = (
    r"(?i)(?:\b(?:as|i\s+am|i['\x{2019}]m|i\s+was)\s+(?:just\s+|only\s+)?an?\s+"
    rf"(?:{_KIND}\s+){{0,3}}(?:ai|artificial\s+intelligence|language\s+model|llm|chatbot|(?:virtual|digital)\s+assistant)\b)"
)
# Names; the last line is Chinese for I am, I am called, my name, call me, you may call me.
_CALLED = (
    r"(?:\b(?:[Mm]y\s+name\s+is|[Yy]ou\s+(?:can|may)\s+call\s+me)\s+[\p{Lu}{\[]\w*"
    r"|^\W*(?:(?:Hello|Hi|Hey|Greetings|Certainly|Sure|Of\s+course)\b[\s,!.]*)?I(?:\s+am|['\x{2019}]m)\s+(?:[\p{Lu}{\[][\w{}\]]*(?:\s+\p{Lu}\w*)?\s*[,.!]|your\s+\w+)"
    r"|\bI(?:\s+am|['\x{2019}]m)\s+[\p{Lu}{\[][\w{}\]]*(?:\s+\p{Lu}\w*)?(?:,\s+(?:an?|the|your)|\s+(?:from|of|at|with))\b"
    r"|\bI\s+was\s+(?:created|developed|trained|built|made)\s+by\b|\brefer\s+to\s+me\s+as\b"
    r"|\x{6211}(?:\x{662F}|\x{53EB}|\x{7684}\x{540D}\x{5B57})|\x{8BF7}\x{53EB}\x{6211}|\x{53EF}\x{4EE5}\x{53EB}\x{6211})"
)
_PLAYED = (
    r"(?i)\b(?:pretend\s+(?:to\s+be|you(?:['\x{2019}]re|\s+are))|role-?\s?play|act\s+(?:as|like)\s+(?:an?|the|if)\b"
    r"|you\s+are\s+now\s+\w+|play\s+the\s+(?:role|part)\s+of|take\s+on\s+the\s+(?:role|persona|character)\s+of"
    r"|imagine\s+(?:that\s+)?you(?:['\x{2019}]re|\s+are)\s+(?:an?|the)\b|stay\s+in\s+character|in\s+the\s+(?:voice|persona|character)\s+of"
    r"|as\s+if\s+you\s+were\s+(?:an?|the)\b|speak\s+(?:like|as)\s+an?\b|from\s+now\s+on,?\s+you\s+(?:are|will\s+be))"
)
_PERSONA = (
    r"(?i)\byou\s+are\s+(?:an?|the|my|now)?\s*(?:\w+[\s,-]+){0,4}?(?:character|pirate|king|queen|wizard|detective|hero"
    r"|villain|girlfriend|boyfriend|friend|companion|persona|captain|elf|vampire|robot|ghost|actor|comedian|philosopher)\b"
)


def list_structure(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of answers made of list items or steps, three at least. A `detect.Detector`."""
    answers = turns.filter(pl.col("role") == "assistant").with_columns(items=_items(), steps=_steps())
    told = pl.format("the answer has {} list items and {} steps", "items", "steps")
    return sightings(answers.filter(_listed()), "list_structure", "low", told)


def identity_statement(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of answers, and system prompts, that say who or what is speaking. A `detect.Detector`."""
    found = turns.filter((pl.col("role") == "assistant") & _identity())
    said = pl.coalesce(pl.col("text").str.extract(rf"({_AS_AI})"), pl.col("text").str.extract(rf"({_CALLED})"))
    told = pl.format(
        "it says who is speaking: {}", said.str.strip_chars().str.slice(0, 60).str.replace_all(r"\s+", " ")
    )
    return sightings(found, "identity_statement", "low", told)


def role_play(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of user and system turns that give the assistant a part to play. A `detect.Detector`."""
    found = turns.filter(_played())
    said = pl.coalesce(pl.col("text").str.extract(rf"({_PLAYED})"), pl.col("text").str.extract(rf"({_PERSONA})"))
    told = pl.format("it gives a part to play: {}", said.str.slice(0, 60).str.replace_all(r"\s+", " "))
    return sightings(found, "role_play", "low", told)


def _items() -> pl.Expr:
    return pl.col("text").str.count_matches(_ITEM)


def _steps() -> pl.Expr:
    return pl.col("text").str.count_matches(_STEP)


def _listed() -> pl.Expr:
    return (pl.col("items") >= _MIN_ITEMS) | (pl.col("steps") >= _MIN_ITEMS)


def _identity() -> pl.Expr:
    return pl.col("text").str.contains(_AS_AI) | pl.col("text").str.contains(_CALLED)


def _played() -> pl.Expr:
    played = pl.col("text").str.contains(_PLAYED)
    persona = (pl.col("role") == "system") & pl.col("text").str.contains(_PERSONA)
    return (pl.col("role") != "assistant") & (played | persona)
