"""Every error a user can meet. Each says what was found, what was expected and what to do.

SafetyAssetsError
├── ProjectError      a project, recipe or policy file is wrong
├── CorpusError       a corpus, refusal, probe or task file cannot be used
├── ModelError        a model folder cannot be used
├── TrainingError     training had to stop
├── Interrupted       somebody asked for a stop, and what was done is saved
├── EvaluationError   responses or scores cannot be produced
├── StoreError        an artefact is missing or is not what its digest says
├── FileError         the system refuses to read or write a file
└── GateRefused       a gated step was asked to use inputs that did not pass
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches


class SafetyAssetsError(Exception):
    """Base of all errors raised on purpose.

    Args:
        found: what is there, with file and line or key.
        expected: what should have been there.
        do: the remedy, as an instruction.
    """

    def __init__(self, found: str, *, expected: str = "", do: str = "") -> None:
        self.found, self.expected, self.do = found, expected, do
        parts = [found.rstrip(".") + "."]
        if expected:
            parts.append(f"Expected: {expected.rstrip('.')}.")
        if do:
            parts.append(f"Do: {do.rstrip('.')}.")
        super().__init__(" ".join(parts))

    def told(self) -> dict[str, str]:
        """The error as a JSON value, for another process."""
        return {"kind": type(self).__name__, "found": self.found, "expected": self.expected, "do": self.do}


def name_one(name: str, names: Iterable[str]) -> str:
    """The remedy for a name that is none of these: the ones that look like it, if any do."""
    near = get_close_matches(name, list(names))
    return "name one of them" + (f" (did you mean {' or '.join(near)}?)" if near else "")


def retold(said: Mapping[str, str]) -> SafetyAssetsError:
    """The error that `told` described."""
    words = dict(said)
    error: SafetyAssetsError = globals()[words.pop("kind")](words.pop("found"), **words)
    return error


class ProjectError(SafetyAssetsError):
    """A project, recipe or policy file is wrong."""


class CorpusError(SafetyAssetsError):
    """A corpus, refusal, probe or task file cannot be used."""


class ModelError(SafetyAssetsError):
    """A model folder cannot be used."""


class TrainingError(SafetyAssetsError):
    """Training had to stop."""


class Interrupted(SafetyAssetsError):
    """Somebody asked for a stop, and what was done is saved."""


class EvaluationError(SafetyAssetsError):
    """Responses or scores cannot be produced."""


class StoreError(SafetyAssetsError):
    """An artefact is missing, or is not what its digest says."""


class FileError(SafetyAssetsError):
    """The system refuses to read or write a file."""


class GateRefused(SafetyAssetsError):
    """A gated step was asked to use inputs that did not pass.

    Args:
        step: the asset that was about to run.
        reasons: one sentence per refusal, each naming the check and the remedy.
        expected, do: where it is not about checks upstream.
    """

    def __init__(
        self,
        step: str,
        reasons: Sequence[str],
        *,
        expected: str = "every required check upstream to pass on the exact artefacts about to be used",
        do: str = "mend the cause named above, materialize that asset again, then launch this one",
    ) -> None:
        self.step, self.reasons = step, tuple(reasons)
        numbered = " ".join(f"({i}) {r}" for i, r in enumerate(reasons, 1))
        super().__init__(f"{step} was refused: {numbered}", expected=expected, do=do)
