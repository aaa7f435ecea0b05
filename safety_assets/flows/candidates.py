"""A checkpoint from elsewhere as a complete model folder, and what can be told of it without loading it."""

from pathlib import Path

from safety_assets.project import Project
from safety_assets.records import Verdict
from safety_assets.release.closed import passed
from safety_assets.release.verdicts import weights_sound


def open_candidate(project: Project, folder: Path, base: Path) -> Path:
    """The folder with the complete model of a checkpoint: an adapter stands on the base it is compared with.

    Raises:
        ModelError: the folder is an adapter of a kind that cannot be merged.
    """
    from safety_assets.models.identity import is_adapter
    from safety_assets.models.source import ModelSource, model_folder

    if not is_adapter(folder):
        return folder
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


def same_template(base: Path, tuned: Path) -> Verdict:
    """Passes always; where the chat templates differ its note says what that means for the comparison."""
    from safety_assets.models.template import read_template

    same = read_template(base) == read_template(tuned)
    said = "The chat templates differ: each model was asked in its own, so a drop may come from the template alone."
    return passed("chat_templates", *([] if same else [said]))
