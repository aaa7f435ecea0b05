"""What can be asked: weights in a folder, or weights with an adapter, by what the project says of answering.

Whatever is asked becomes a `Target`; an endpoint that speaks HTTP belongs into `target`, beside `local`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safety_assets.errors import ModelError
from safety_assets.evals.ask import Answerer, Chat
from safety_assets.evals.kept import Kept
from safety_assets.evals.remembered import Remembered, Target, Told
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator

BATCHES = 4
"""So many batches are asked, and kept, together: their long answers are finished side by side."""
FILE = "kept.sqlite"
"""Answers and verdicts of any models and judges, under the storage root."""


def target(ws: Workspace, named: str, adapter: str | None = None) -> Target:
    """The model that a name stands for.

    Args:
        named: folder, `organisation/name@<40 hex digits>` on the hub, or a folder that holds an adapter alone.
        adapter: folder or hub id of an adapter on top of it.

    Raises:
        ModelError: there is no such model.
    """
    if "://" in named:
        raise ModelError(
            f"{named} is an address", expected="a model folder, or organisation/name@<40 hex digits> on the hub",
            do="name the folder of its weights",
        )  # fmt: skip
    return local(ws, _folder(ws, named, adapter))


def local(ws: Workspace, folder: Path) -> Target:
    """The weights in a complete model folder, in the bits that the project serves them in."""
    from safety_assets.models.template import rendered_prompts

    digest = model_digest(folder)

    def rendered(chats: Sequence[Chat]) -> list[str]:
        return rendered_prompts(folder, chats)

    def opened(told: Told) -> Answerer:
        generator = open_generator(ws, folder, told)
        if model_digest(folder) != digest:
            raise ModelError(f"the weights in {folder} changed while they were loaded", do="ask them again")
        return generator

    how = {
        "dtype": ws.project.settings.quantise or "float32", "decoding": "greedy",
        "code": sources_version("models", "evals.ask"),
    }  # fmt: skip
    at_once = BATCHES * ws.project.settings.generation_batch
    return Target(name=folder.name, model=digest, how=how, rendered=rendered, open=opened, at_once=at_once)


def open_generator(ws: Workspace, folder: Path, told: Callable[[int, int], None] | None = None) -> "Generator":
    """A generator over the weights in a folder, held in the bits that the project serves them in.

    Args:
        told: takes how many answers of a call are there, and of how many; the workspace is told when absent.
    """
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model

    settings = ws.project.settings
    loaded = load_model(folder, device=settings.device, threads=settings.threads, quantise=settings.quantise)

    def report(done: int, of: int) -> None:
        ws.report({"event": "answered", "model": folder.name, "done": done, "of": of})

    return Generator(loaded, batch_rows=settings.generation_batch, told=told or report)


def remembered(ws: Workspace, asked: Target) -> Remembered:
    """The model with the answers that are kept under the storage root."""

    def told(done: int, of: int) -> None:
        ws.report({"event": "answered", "model": asked.name, "done": done, "of": of})

    return Remembered(asked, kept(ws, "answers"), again=ws.force, told=told)


def kept(ws: Workspace, kind: str) -> Kept:
    """What was answered or judged before, in any project with this storage root."""
    return Kept(ws.project.storage / FILE, "verdicts" if kind == "verdicts" else "answers")


def _folder(ws: Workspace, named: str, adapter: str | None) -> Path:
    """The complete folder of a model; a base with an adapter is composed."""
    from safety_assets.models.identity import is_adapter
    from safety_assets.models.source import ModelSource, locate, model_folder

    here, composed = Path.cwd(), ws.project.storage / "models"
    if adapter is None:
        folder = locate(named, here)
        if not is_adapter(folder):
            return folder
        return model_folder(ModelSource(base=None, adapter=str(folder)), root=here, composed=composed)
    return model_folder(ModelSource(base=named, adapter=adapter), root=here, composed=composed)
