"""Answers of a user: given as options, or asked for on a terminal; each is checked at once."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import typer
from rich.prompt import Prompt

from safety_assets.commands.terminal import complain, complaints
from safety_assets.errors import SafetyAssetsError

Found = TypeVar("Found")


def on_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


@dataclass(frozen=True)
class Asking:
    """Whoever can be asked.

    Args:
        questions: option to question.
        may_ask: somebody sits at a terminal and wants to be asked.
    """

    questions: Mapping[str, str]
    may_ask: bool

    def demand(self, given: Mapping[str, object]) -> None:
        """Where nobody can be asked, what is missing is named, as wrong usage."""
        missing = [f"--{option}" for option, value in given.items() if not value]
        if missing and not self.may_ask:
            raise typer.BadParameter(f"nobody to ask; give {', '.join(missing)}")

    def answer(self, option: str, given: object, check: Callable[..., Found]) -> tuple:
        """What was named, and what the check found in it; somebody who can be asked is asked again when it is wrong."""
        return self._checked(given or self._ask(option), option, check)

    def optional(self, option: str, given: object, check: Callable[..., Found]) -> tuple:
        """The same where an empty answer, or none, is an answer: (None, what the check makes of None)."""
        said = given or (self._ask(option, may_be_empty=True) if self.may_ask else None)
        return self._checked(said, option, check, may_be_empty=True)

    def _checked(self, said: object, option: str, check: Callable[..., Found], *, may_be_empty: bool = False) -> tuple:
        while True:
            try:
                return said, check(said)
            except SafetyAssetsError as error:
                if not self.may_ask:
                    raise
                complain(error)
                said = self._ask(option, may_be_empty=may_be_empty)

    def _ask(self, option: str, *, may_be_empty: bool = False) -> str | None:
        while True:
            said = Prompt.ask(self.questions[option], console=complaints, default="", show_default=False).strip()
            if said or may_be_empty:
                return said or None
