"""The base model that a user names: a folder or a hub id, perhaps with an adapter; read as it will be served."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from safety_assets.errors import ModelError, ProjectError

UNKNOWN_CONTEXT = 1024
"""Tokens assumed where config.json does not say how many a chat may have."""
ASSUMED_PARAMETERS = 7_000_000_000
"""Parameters assumed of a model that cannot be read yet: recipes then train adapters, which fits small models too."""


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """A base model as a user names it.

    Args:
        base: folder, absolute or relative to where the user stands, or `organisation/name@revision` on the hub.
        adapter: the same of a PEFT adapter on top of it.
        chat_template: Jinja file instead of the model's own template.
        system_prompt: serving system prompt.
    """

    base: str
    adapter: str | None = None
    chat_template: str | None = None
    system_prompt: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What the recipes of a new project depend on.

    Args:
        parameters: stored values.
        context: tokens that a chat may have.
        later: why the model could not be read, what is assumed and what checks it; empty when it was read.
    """

    parameters: int
    context: int
    later: str = ""


def look_at(named: NamedModel) -> ModelFacts:
    """The facts of a base model, composed as it will be served; a hub model is fetched unless the cache holds it.

    Raises:
        ModelError: it is no complete model: no folder, an unpinned or unknown hub id, no weights in safetensors, no
            configuration, tokenizer or chat template, damaged weights, or an adapter that cannot be merged.
        ProjectError: the template file cannot be read.
    """
    from safety_assets.models.source import ModelSource, model_folder

    template = template_text(named.chat_template) if named.chat_template else None
    source = ModelSource(
        base=named.base, adapter=named.adapter, chat_template=template, system_prompt=named.system_prompt
    )
    later = _not_here_yet(named)
    if later:
        return ModelFacts(parameters=ASSUMED_PARAMETERS, context=UNKNOWN_CONTEXT, later=later)
    with tempfile.TemporaryDirectory(prefix="safety-assets-init-") as composed:
        return _facts(model_folder(source, root=Path.cwd(), composed=Path(composed)))


def on_the_hub(named: NamedModel) -> bool:
    """Whether base or adapter is named by a hub id."""
    from safety_assets.models.hub import parse_hub_id

    return any(map(parse_hub_id, filter(None, (named.base, named.adapter))))


def base_under(adapter: str) -> str:
    """The folder that an adapter was trained on, as the adapter names it; ModelError when that is no folder here."""
    from safety_assets.models.source import base_of, locate

    return base_of(locate(adapter, Path.cwd()), Path.cwd())


def _not_here_yet(named: NamedModel) -> str:
    """Why a hub model cannot be fetched now, what is assumed and what checks it; empty when all of it is here."""
    from safety_assets.models.hub import fetch, is_denied, parse_hub_id

    for wanted in map(parse_hub_id, filter(None, (named.base, named.adapter))):
        try:
            if wanted is not None:
                fetch(wanted)
        except ModelError as error:
            if is_denied(error):
                raise
            return (
                f"{error.found}. To do: {error.do}; then `safety-assets doctor` checks weights, configuration, "
                f"tokenizer and chat template. Until then {ASSUMED_PARAMETERS:,} parameters and "
                f"{UNKNOWN_CONTEXT:,} tokens of context are assumed, so the recipes train adapters."
            )
    return ""


def _facts(folder: Path) -> ModelFacts:
    from safety_assets.models.identity import demand_weights, identify
    from safety_assets.models.template import read_template
    from safety_assets.models.weights import inspect_weights

    demand_weights(folder)
    if read_template(folder) is None:
        raise ModelError(
            f"{folder} has no chat template", expected="the one that the model was aligned with",
            do="give its Jinja file with --chat-template; a guessed one would measure another model",
        )  # fmt: skip
    identify(folder)
    report = inspect_weights(folder)
    if report.faults:
        raise ModelError(f"{folder}: {report.faults[0]}", expected="readable weights", do="download the model again")
    return ModelFacts(parameters=report.parameters, context=_context(folder / "config.json"))


def _context(config: Path) -> int:
    try:
        said = json.loads(config.read_text(encoding="utf-8"))
        said |= said.get("text_config", {})
        return int(said.get("max_position_embeddings") or said.get("n_positions") or UNKNOWN_CONTEXT)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{config} cannot be read: {error}", expected="a JSON object", do="download the file again"
        ) from error


def template_text(template: str) -> str:
    """The text of a template file; ProjectError when it cannot be read."""
    try:
        return Path(template).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{template} cannot be read: {error}", expected="a Jinja file", do="correct --chat-template"
        ) from error
