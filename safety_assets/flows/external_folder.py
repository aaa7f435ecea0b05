"""The folder into which checkpoints from elsewhere are put: which are complete, and what they hold."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from safety_assets.errors import ProjectError
from safety_assets.project import Project
from safety_assets.store import digest_file, digest_json

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a checkpoint's folder may be called: its name becomes a partition. Others, hidden ones too, are left alone."""


def external_root(project: Project) -> Path:
    """The folder that project.yaml names; ProjectError when it names none or there is none."""
    root = project.external_checkpoints
    if root is None:
        raise ProjectError("project.yaml names no external_checkpoints", do="name the folder they are put into")
    if not root.is_dir():
        raise ProjectError(f"external_checkpoints {root} is no folder", do="make it, or correct project.yaml")
    return root


def checkpoint_folder(project: Project, name: str) -> Path:
    """The folder of one checkpoint; ProjectError when there is none of this name."""
    root = external_root(project)
    folder = root / name
    if not NAME.fullmatch(name) or not folder.is_dir():
        raise ProjectError(f"{root} holds no checkpoint {name}", do="put its folder there, or name another")
    return folder


def complete_folders(root: Path) -> list[Path]:
    """Folders that hold a configuration and safetensors, sorted by name."""
    return sorted(folder for folder in root.iterdir() if NAME.fullmatch(folder.name) and _complete(folder))


def _complete(folder: Path) -> bool:
    """A model with its config.json, or an adapter with its adapter_config.json."""
    configured = any((folder / name).is_file() for name in ("config.json", "adapter_config.json"))
    return configured and any(folder.glob("*.safetensors"))


def stamp(folder: Path) -> str:
    """Names, sizes and times of a checkpoint's files: as long as it stays the same, they need not be read again."""
    seen = [(p.relative_to(folder).as_posix(), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in _stats(folder)]
    return digest_json(seen)


def last_touched(folder: Path) -> float:
    """When one of a checkpoint's files was last written or renamed, seconds since the epoch."""
    return max((max(s.st_mtime, s.st_ctime) for _, s in _stats(folder)), default=0.0)


def content_digest(folder: Path) -> str:
    """Digest over name and content of the files that decide what a checkpoint says; a README does not."""
    return digest_json({path.relative_to(folder).as_posix(): digest_file(path) for path, _ in _stats(folder)})


def _stats(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    from safety_assets.models.identity import ADAPTER_CONFIG, identity_files

    adapter = [folder / ADAPTER_CONFIG] if (folder / ADAPTER_CONFIG).is_file() else []
    for path in [*identity_files(folder), *adapter]:
        yield path, path.stat()
