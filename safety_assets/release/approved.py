"""Is a folder of weights the one that was approved? Every file of it against the list that the release holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safety_assets.store import digest_file, digest_json


@dataclass(frozen=True)
class Difference:
    """Names of files in which a folder differs from a release; all empty for the same."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        return not (self.changed or self.missing or self.added)

    def sentences(self) -> list[str]:
        """One for each kind of difference."""
        told = (("changed", self.changed), ("missing", self.missing), ("not of the release", self.added))
        return [f"{how}: {', '.join(names)}" for how, names in told if names]


def every_file(folder: Path) -> dict[str, str]:
    """Relative name to sha256 of every file under a folder, hidden ones too; a link without a target has none."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() or path.is_symlink():
            found[path.relative_to(folder).as_posix()] = digest_file(path) if path.is_file() else ""
    return found


def difference(released: Mapping[str, str], found: Mapping[str, str]) -> Difference:
    """What of the files that were found is not as it was released."""
    both = released.keys() & found.keys()
    return Difference(
        changed=tuple(sorted(name for name in both if released[name] != found[name])),
        missing=tuple(sorted(released.keys() - found.keys())),
        added=tuple(sorted(found.keys() - released.keys())),
    )


def nearest(releases: Iterable[Mapping], found: Mapping[str, str]) -> Mapping | None:
    """The release that shares most files with a folder, of several such the first; None when none shares any."""

    def shared(release: Mapping) -> int:
        return sum(found.get(name) == digest for name, digest in release["files"].items())

    best = max(releases, key=shared, default=None)
    return best if best is not None and shared(best) else None


def sealed(release: Mapping) -> dict:
    """A release with its own digest, so that a changed file of it is noticed without a project."""
    return {**release, "digest": digest_json(dict(release))}


def is_sealed(release: Mapping) -> bool:
    """Whether a release gives its own digest."""
    body = {key: value for key, value in release.items() if key != "digest"}
    return release.get("digest") == digest_json(body)
