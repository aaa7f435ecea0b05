"""The code version of an asset: a digest of the sources that decide what it makes."""

import functools
from collections.abc import Mapping
from pathlib import Path

from safety_assets.flows.graph import GRAPH
from safety_assets.store import digest_file, digest_json

PACKAGE = Path(__file__).resolve().parent.parent
SHARED = ("records", "errors", "recipes", "policy", "people", "measures", "figure_specs", "datafiles")
"""Light modules that every asset reads."""

BELOW = dict.fromkeys(("corpus", "evals"), ("refusals", "reading", "hashes"))
"""What packages stand on besides: code and weights that decide what they find."""


@functools.cache
def code_version(asset: str) -> str:
    """Sixteen hex digits over the sources and weights of the packages an asset calls, and over its own flow."""
    node = GRAPH[asset]
    return sources_version(*node.code, *SHARED, f"flows.{node.group}")


@functools.cache
def sources_version(*modules: str) -> str:
    """Sixteen hex digits over the sources of modules and packages, named inside this package."""
    below = {module for name in modules for module in BELOW.get(name.partition(".")[0], ())}
    files = sorted({file for module in {*modules, *below} for file in _files(module)})
    return digest_json({f.relative_to(PACKAGE).as_posix(): digest_file(f) for f in files})[:16]


@functools.cache
def file_digests(*modules: str) -> Mapping[str, str]:
    """Module to sixteen hex digits over its own source alone."""
    return {module: digest_file(_files(module)[0])[:16] for module in modules}


def package_digest() -> str:
    """Digest over all sources and weights of this package as they are on disk now: no list of modules to forget one."""
    files = (path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".json"))
    return digest_json({path.relative_to(PACKAGE).as_posix(): digest_file(path) for path in files})


def _files(module: str) -> list[Path]:
    path = PACKAGE.joinpath(*module.split("."))
    if not path.is_dir():
        return [path.with_suffix(".py")]
    return sorted([*path.rglob("*.py"), *path.glob("*.json")])
