"""What can be asked: weights in a folder, weights with an adapter, or a model behind an endpoint.

Whatever is asked becomes a `Target`, by what the project says of answering.
"""

from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from safety_assets.errors import ModelError
from safety_assets.evals.ask import Answerer, Chat
from safety_assets.evals.kept import Kept, Kind
from safety_assets.evals.remembered import Remembered, Target, Told
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.served.address import Address, read_address
from safety_assets.store import canonical_json, digest_json

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator
    from safety_assets.served.endpoint import Endpoint

BATCHES = 4
"""So many batches are asked, and kept, together: their long answers are finished side by side."""
FILE = "kept.sqlite"
"""Answers and verdicts of any models and judges, under the storage root."""


def target(ws: Workspace, named: str, adapter: str | None = None) -> Target:
    """The model that a name stands for.

    Args:
        named: folder, `organisation/name@<40 hex digits>` on the hub, a folder that holds an adapter alone, or the URL
            of an endpoint.
        adapter: folder or hub id of an adapter on top of it.

    Raises:
        ModelError: there is no such model.
    """
    if "://" in named:
        if adapter is not None:
            raise ModelError(f"{read_address(named)} is an address", expected="a folder to put the adapter on")
        return served(ws, read_address(named))
    return local(ws, _folder(ws, named, adapter))


def local(ws: Workspace, folder: Path) -> Target:
    """The weights in a complete model folder, in the bits that the project serves them in."""
    digest = model_digest(folder)

    def rendered(chats: Sequence[Chat]) -> list[str]:
        return kept_prompts(ws, folder, digest, chats)

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


def kept_prompts(ws: Workspace, folder: Path, model: str, chats: Sequence[Chat]) -> list[str]:
    """Chats as a model reads them, rendered once: to render takes transformers, whose import takes seconds.

    Args:
        model: identity digest of what the folder holds, its template among it.
    """
    code = [version("transformers"), version("jinja2"), sources_version("models.template")]
    key = digest_json([model, code, [list(chat) for chat in chats]])
    known = kept(ws, "prompts")
    found = known.find([key])
    if key not in found:
        from safety_assets.models.template import rendered_prompts

        found = known.keep({key: rendered_prompts(folder, chats)})
    return list(found[key])


def served(ws: Workspace, address: Address) -> Target:
    """A model behind an endpoint. Its identity does not bind its weights, so that its answers are kept for a day."""
    endpoint = open_endpoint(ws, address)

    def rendered(chats: Sequence[Chat]) -> list[str]:
        return [canonical_json(list(chat)) for chat in chats]

    def opened(told: Told) -> Answerer:
        return endpoint

    how = {"decoding": "greedy", "code": sources_version("served", "evals.ask"), "day": date.today().isoformat()}
    at_once = BATCHES * ws.project.settings.endpoints.concurrency
    return Target(name=endpoint.name, model=endpoint.model, how=how, rendered=rendered, open=opened, at_once=at_once)


def open_endpoint(ws: Workspace, address: Address) -> "Endpoint":
    """A served model, asked as the project says; it tells how many answers are there.

    Raises:
        ModelError: it cannot be reached, wants another key, or does not serve that model.
    """
    from safety_assets.served.endpoint import Endpoint

    def told(done: int, of: int) -> None:
        ws.report({"event": "answered", "model": address.model or address.url, "done": done, "of": of})

    return Endpoint(address, ws.project.settings.endpoints, told)


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


def remembered(ws: Workspace, asked: Target, *, sample: int = 0) -> Remembered:
    """The model with the answers that are kept under the storage root.

    Args:
        sample: index of the sample; greedy decoding has one, 0.
    """

    def told(done: int, of: int) -> None:
        ws.report({"event": "answered", "model": asked.name, "done": done, "of": of})

    return Remembered(asked, kept(ws, "answers"), sample=sample, again=ws.force, told=told)


def kept(ws: Workspace, kind: Kind) -> Kept:
    """What was answered, judged or rendered before, in any project with this storage root."""
    return Kept(ws.project.storage / FILE, kind)


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
