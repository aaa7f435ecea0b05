"""The models that a project names, as complete local folders: base, anchor and pretrained ancestor.

Template and serving system prompt of the project hold for all three: they are compared under the same words.
"""

from pathlib import Path

from safety_assets.errors import ProjectError
from safety_assets.project import AdaptedModel, ModelSetting, Project


def base(project: Project) -> Path:
    """The aligned model that training starts from."""
    return folder_of(project, project.settings.base_model)


def anchor(project: Project) -> Path:
    """The originally aligned model that every loss is measured against; the base when the project names none."""
    return folder_of(project, project.settings.anchor or project.settings.base_model)


def pretrained(project: Project) -> Path | None:
    """The base's unaligned ancestor, where the project names one."""
    named = project.settings.pretrained_model
    return folder_of(project, named) if named else None


def makers(project: Project) -> list[str]:
    """Who made base and anchor, as their made.json say; an empty text where nobody says so."""
    from safety_assets.models.identity import made_by

    return sorted({made_by(base(project)), made_by(anchor(project))})


def folder_of(project: Project, named: ModelSetting) -> Path:
    """The folder of a model, with the project's template and system prompt; composed under the storage root if need be.

    Raises:
        ModelError: the model is absent, unsafe or not pinned.
        ProjectError: the project's template file cannot be read.
    """
    from safety_assets.models.source import ModelSource, model_folder

    source = ModelSource(
        base=named.base if isinstance(named, AdaptedModel) else named,
        adapter=named.adapter if isinstance(named, AdaptedModel) else None,
        chat_template=_template(project),
        system_prompt=project.settings.system_prompt,
    )
    return model_folder(source, root=project.folder, composed=project.storage / "models")


def _template(project: Project) -> str | None:
    chosen = project.settings.chat_template
    if chosen is None:
        return None
    path = project.path(chosen)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{path} cannot be read: {error}", expected="a Jinja file", do="correct chat_template in project.yaml"
        ) from error
