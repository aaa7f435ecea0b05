"""The package as a user installs it: a wheel of a copy of the tree, in an environment that cannot see the tree."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "safety_assets")
UNSEEN = ("PYTHONPATH", "SAFETY_ASSETS_", "DAGSTER_HOME", "HF_TOKEN")
"""Beginnings of variables of this process that the user does not have."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "200"}


@dataclass(frozen=True)
class Installed:
    """An environment that holds the package as a wheel and everything else as this one does."""

    folder: Path

    def __call__(self, *words: str, at: Path) -> subprocess.CompletedProcess[str]:
        """`safety-assets WORDS`, typed in a folder."""
        return self.run("safety-assets", *words, at=at)

    def run(self, program: str, *words: str, at: Path) -> subprocess.CompletedProcess[str]:
        """A program of the environment, run to its end in a folder, with nobody to ask."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(UNSEEN)}
        command = [str(self.folder / "bin" / program), *words]
        return subprocess.run(
            command, cwd=at, env=kept | OFFLINE, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )


def install(where: Path) -> Installed:
    """Build the wheel and install it, without a package index."""
    tree = where / "tree"
    tree.mkdir(parents=True)
    for name in BUILT_FROM:
        source, copy = ROOT / name, tree / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", where, tree)
    venv = where / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    installed = Installed(venv)
    purelib = Path(installed.run("python", "-c", PURELIB, at=where).stdout.strip())
    (purelib / "running.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files are not followed
    wheel = next(where.glob("*.whl"))
    _pip(f"--python={venv / 'bin' / 'python'}", "install", "--no-deps", "--no-index", "--ignore-installed", wheel)
    return installed


PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"


def _pip(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *map(str, words)], check=True, capture_output=True)
