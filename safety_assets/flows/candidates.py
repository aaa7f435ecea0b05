"""A checkpoint from elsewhere as a complete model folder, and what can be told of it without loading it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safety_assets.errors import ModelError
from safety_assets.records import Verdict
from safety_assets.release.closed import passed
from safety_assets.release.verdicts import weights_sound


@contextmanager
def open_candidate(folder: Path, base: Path) -> Iterator[Path]:
    """A folder with the complete model of a checkpoint; an adapter is merged into its base for as long as it is open.

    Raises:
        ModelError: the folder is an adapter that cannot be merged into this base.
    """
    from safety_assets.models.identity import is_adapter

    if not is_adapter(folder):
        yield folder
        return
    from safety_assets.models.adapters import merge_adapter

    with tempfile.TemporaryDirectory(prefix="merged-") as place:
        merged = Path(place) / folder.name
        merge_adapter(folder, base, merged)
        yield merged


def soundness(folder: Path) -> Verdict:
    """Every weight of a model folder can be read and is finite.

    Raises:
        ModelError: the folder is no complete model.
    """
    from safety_assets.models.identity import identify, inspect_weights

    identify(folder)
    report = inspect_weights(folder)
    return weights_sound(report.parameters, report.num_non_finite, report.faults)


def same_template(base: Path, tuned: Path) -> Verdict:
    """Passes always; where the chat templates differ its note says what that means for the comparison."""
    from safety_assets.models.identity import chat_template

    try:
        same = chat_template(base) == chat_template(tuned)
    except (OSError, ValueError) as error:
        raise ModelError(f"the chat template of {tuned} or {base} cannot be read: {error}") from error
    said = "The chat templates differ: each model was asked in its own, so a drop may come from the template alone."
    return passed("chat_templates", *([] if same else [said]))
