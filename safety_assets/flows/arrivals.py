"""What lies in the corpus, among the pairs and among the probes: which contents, and whether it is at rest."""

import time
from collections.abc import Sequence
from pathlib import Path

from safety_assets.corpus.files import source_files
from safety_assets.corpus.pairs import pair_files
from safety_assets.project import Project
from safety_assets.store import digest_file, digest_json


def measured_files(project: Project) -> list[Path]:
    """Every file that a measurement reads, sorted.

    Raises:
        SafetyAssetsError: a folder or file that project.yaml names is not there.
    """
    given = [*source_files(project.corpus), *source_files(pair_files(project.refusal_pairs))]
    probes = [path for path in project.probes.rglob("*") if path.is_file()]
    return sorted({*(Path(source.path) for source in given), *probes})


def looks(files: Sequence[Path]) -> str:
    """Names, sizes and times of files: as long as it stays the same they need not be read again."""
    stats = [(path.as_posix(), path.stat()) for path in files]
    return digest_json([(name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats])


def at_rest(files: Sequence[Path], seconds: float) -> bool:
    """Whether no file was written or renamed within the last seconds: one that was may still be copied."""
    touched = max((max(path.stat().st_mtime, path.stat().st_ctime) for path in files), default=0.0)
    return time.time() - touched >= seconds


def contents(files: Sequence[Path]) -> str:
    """Digest over which contents are there: the same file under a second name is no news."""
    return digest_json(sorted({digest_file(path) for path in files}))
