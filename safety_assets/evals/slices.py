"""The slices of a dimension: which probes its headline score is about, and which are reported apart."""

SEEN = "seen"
"""What floors, budgets and deltas are about."""

UNSEEN = "unseen"
"""Subjects that alignment never mentions."""

IN_DOMAIN = "in_domain"
"""Probes asked as the last turn of the application's own conversations (`in_domain`)."""

WRAPPED = "wrapped:"
"""Harmful requests in an adversarial wrapper, whose name follows (`wrappers`)."""

ALWAYS = (SEEN, UNSEEN)
"""Slices that every table of dimension scores lists, with a reason where nothing was asked."""


def known(name: str) -> bool:
    """Whether a slice is one of those above."""
    return name in (*ALWAYS, IN_DOMAIN) or (name.startswith(WRAPPED) and len(name) > len(WRAPPED))


def wrapper_of(name: str) -> str | None:
    """The wrapper that a slice names; None for the others."""
    return name.removeprefix(WRAPPED) if name.startswith(WRAPPED) else None
