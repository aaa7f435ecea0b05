"""How long the demonstration takes from nothing, and again when nothing changed.

    python -m benchmarks.demo_time

Runs it twice on an empty store and an empty Dagster instance. The last line is JSON: seconds and exit codes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run, run again, print."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "dagster"
        home.mkdir()
        shutil.copy(ROOT / "dagster.yaml", home)
        env = {**os.environ, "DAGSTER_HOME": str(home), "SAFETY_ASSETS_STORAGE": str(Path(scratch) / "store")}
        first, second = run(env), run(env)
    print(
        json.dumps(
            {"first_seconds": first[0], "first_exit": first[1], "again_seconds": second[0], "again_exit": second[1]}
        )
    )


def run(env: dict[str, str]) -> tuple[float, int]:
    """Seconds and exit code of one demonstration."""
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "safety_assets.demo"], cwd=ROOT, env=env, check=False).returncode
    return round(time.monotonic() - began, 1), code


if __name__ == "__main__":
    main()
