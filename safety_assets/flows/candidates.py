"""A checkpoint from elsewhere as a complete model folder, and what can be told of it without loading it."""

from pathlib import Path

from safety_assets.errors import ModelError
from safety_assets.project import Project
from safety_assets.records import Verdict
from safety_assets.release.closed import passed
from safety_assets.release.verdicts import weights_sound
from safety_assets.served.address import Address


def open_candidate(project: Project, folder: Path, base: Path | Address) -> Path:
    """The folder with the complete model of a checkpoint: an adapter stands on the base it is compared with.

    Raises:
        ModelError: the folder is an adapter of a kind that cannot be merged, or its base is no folder.
    """
    from safety_assets.models.identity import is_adapter
    from safety_assets.models.source import ModelSource, model_folder

    if not is_adapter(folder):
        return folder
    if isinstance(base, Address):
        raise ModelError(
            f"{folder} is an adapter, and its base is behind {base}", expected="the folder of the base",
            do="name that folder with --base",
        )  # fmt: skip
    adapted = ModelSource(base=str(base.resolve()), adapter=str(folder.resolve()))
    return model_folder(adapted, root=project.folder, composed=project.storage / "models")


def maker(folder: Path) -> str:
    """Who made the model of a folder; empty where nobody says so."""
    from safety_assets.models.identity import made_by

    return made_by(folder)


def soundness(folder: Path) -> Verdict:
    """Every weight of a model folder can be read and is finite.

    Raises:
        ModelError: the folder is no complete model.
    """
    from safety_assets.models.identity import identify
    from safety_assets.models.weights import inspect_weights

    identify(folder)
    report = inspect_weights(folder)
    return weights_sound(report.parameters, report.num_non_finite, report.faults)


def same_template(base: str | None, tuned: str | None) -> Verdict:
    """Passes always; where the chat templates differ its note says what that means for the comparison."""
    said = "The chat templates differ: each model was asked in its own, so a drop may come from the template alone."
    return passed("chat_templates", *([] if base == tuned else [said]))
