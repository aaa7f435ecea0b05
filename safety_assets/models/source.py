"""From the setting that names a model to a local folder that holds all of it: what is scored, trained and served.

A plain folder with its own template is used as it is. Everything else (an adapter on a base, a template or a system
prompt from the project) is composed: a folder of links with the words that will be served written out.
"""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from safety_assets.errors import ModelError
from safety_assets.models.adapter import WEIGHTS, read_adapter
from safety_assets.models.hub import fetch, parse_hub_id
from safety_assets.models.identity import (
    ADAPTER_CONFIG,
    demand_weights,
    has_tokenizer,
    identity_files,
    part_of,
    word_files,
)
from safety_assets.models.template import FILE, read_template, serving_template
from safety_assets.models.weights import ADAPTER
from safety_assets.store import digest_json


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """What a project says about a model.

    Args:
        base: folder, or `organisation/name@revision` on the hub; None takes the adapter's base when that is a folder.
        adapter: folder or hub id of a PEFT adapter on top of it.
        chat_template: Jinja instead of the model's own template.
        system_prompt: text put before every chat that has no system message.
    """

    base: str | None
    adapter: str | None = None
    chat_template: str | None = None
    system_prompt: str | None = None


def model_folder(source: ModelSource, *, root: Path, composed: Path) -> Path:
    """The folder of a model, complete and local.

    Args:
        root: what relative paths are relative to.
        composed: where composed folders are kept; one that is lost is made again.

    Raises:
        ModelError: something it names is absent, unsafe or not pinned, or the template cannot be used.
    """
    adapter = locate(source.adapter, root) if source.adapter else None
    base = locate(source.base or base_of(adapter, root), root)
    words = adapter if adapter and has_tokenizer(adapter) else base
    template = serving_template(words, source.chat_template, source.system_prompt)
    if adapter is None and (template is None or template == read_template(base)):
        return base
    return _composed(_links(base, adapter, words), template, composed)


def locate(name: str, root: Path) -> Path:
    """The folder that a path or a hub id means.

    Raises:
        ModelError: no such folder, a hub id without a pinned revision, or the hub does not give it.
    """
    hub = parse_hub_id(name)
    if hub is not None:
        return fetch(hub)
    folder = (root / name).resolve()
    if folder.is_dir():
        return folder
    if "@" in name:
        raise ModelError(
            f"{name} is not pinned", expected="organisation/name@ and the 40 hex digits of a commit",
            do="copy the full commit hash from the model's list of commits: a branch or tag may move",
        )  # fmt: skip
    raise ModelError(
        f"{folder} is no folder", expected="a model folder, or organisation/name@<40 hex digits> on the hub",
        do="correct the path, or pin the hub's model to a commit",
    )  # fmt: skip


def base_of(adapter: Path | None, root: Path) -> str:
    """The folder that an adapter names as its base; ModelError when it names none that is here."""
    named = str(read_adapter(adapter).get("base_model_name_or_path") or "") if adapter else ""
    if not named or not (root / named).is_dir():
        raise ModelError(
            f"{adapter} was trained on {named!r}, which is no folder here", expected="the adapter's base",
            do="write base beside adapter in project.yaml: a folder, or a hub id at a pinned revision",
        )  # fmt: skip
    return named


def _links(base: Path, adapter: Path | None, words: Path) -> dict[str, Path]:
    """File of the composed folder to the file that it is a link to; the template is written, not linked."""
    demand_weights(base)
    chosen = {_name(p, base): p for p in identity_files(base)}
    spoken = {_name(p, words): p for p in word_files(words)}
    links = {name: path for name, path in chosen.items() if part_of(name) not in ("tokenizer", "template")}
    links |= {name: path for name, path in spoken.items() if part_of(name) == "tokenizer"}
    if adapter is not None:
        read_adapter(adapter)
        links |= {ADAPTER: adapter / WEIGHTS, f"adapter/{ADAPTER_CONFIG}": adapter / ADAPTER_CONFIG}
    return links


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _composed(links: dict[str, Path], template: str | None, where: Path) -> Path:
    """A folder of links with the template in it; it appears complete or not at all."""
    folder = where / digest_json([{name: str(path) for name, path in links.items()}, template])
    if folder.is_dir():
        return folder
    where.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".", dir=where))
    for name, path in links.items():
        (new / name).parent.mkdir(exist_ok=True)
        (new / name).symlink_to(path)
    if template is not None:
        (new / FILE).write_text(template, encoding="utf-8")
    with contextlib.suppress(OSError):  # another process composed the same folder first
        os.rename(new, folder)
    shutil.rmtree(new, ignore_errors=True)
    return folder
