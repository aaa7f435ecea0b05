"""The instance of deploy/ on a PostgreSQL server of its own: two runs at once, the daemon killed, nothing lost."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_project
from processes import Processes, until

from safety_assets.project import PROJECT_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))[-1:]
WORKSPACE = "load_from: [{grpc_server: {host: 127.0.0.1, port: %d, location_name: safety_assets}}]\n"

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not BIN, reason="Debian's package postgresql is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of SQLAlchemy's driver
]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that belongs to nobody and ends with the test: PostgreSQL refuses to run as root."""
    folder, port, bin_folder = Path(tempfile.mkdtemp(prefix="pg-")), free_port(), BIN[0].parent
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid} if os.getuid() == 0 else {}
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "dagster", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, cwd=folder, **as_owner,
    )  # fmt: skip
    server = subprocess.Popen(
        [bin_folder / "postgres", "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port)],
        stderr=subprocess.DEVNULL, cwd=folder, **as_owner,
    )  # fmt: skip
    asked = [bin_folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    until(lambda: subprocess.run(asked, check=False).returncode == 0, "the database")
    named = {"HOST": "127.0.0.1", "PORT": str(port), "DB": "postgres", "USER": "dagster", "PASSWORD": "none"}
    for name, value in named.items():
        monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", value)
    yield
    server.send_signal(signal.SIGINT)
    server.wait()
    shutil.rmtree(folder)


@pytest.fixture
def place(tmp_path: Path, database: None, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the file of deploy/, and a project."""
    shutil.copy(ROOT / "deploy" / "dagster.postgres.yaml", tmp_path / "dagster.yaml")
    project = small_project.write_project(tmp_path / "project", tiny_model)
    given = {"DAGSTER_HOME": tmp_path, "DAGSTER_COMPUTE_LOGS": tmp_path / "logs", PROJECT_VARIABLE: project}
    for name, value in {**given, "WAITING_PLACE": tmp_path, "PYTHONWARNINGS": "ignore"}.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path


class Machines(Processes):
    """Processes as the containers of deploy/compose.yaml run them."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.port = free_port()
        (place / "workspace.yaml").write_text(WORKSPACE % self.port)

    def code(self) -> None:
        file = str(HERE / "waiting_location.py")
        self.start("dagster", "code-server", "start", "-h", "127.0.0.1", "-p", str(self.port), "-f", file)

    def launch(self, job: str) -> None:
        words = ["dagster", "job", "launch", "-w", "workspace.yaml", "-j", job]
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=self.place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def machines(place: Path) -> Iterator[Machines]:
    made = Machines(place)
    yield made
    made.end()


def test_two_runs_at_once_outlive_a_killed_daemon_and_nothing_is_lost(machines: Machines, place: Path) -> None:
    with dg.DagsterInstance.from_config(str(place)) as instance:
        assert "postgres" in type(instance.run_storage).__module__

        def statuses() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for run in instance.get_runs():
                found.setdefault(run.job_name, []).append(run.status.value)
            return found

        machines.code()
        until(lambda: _listens(machines.port), "the code server")
        daemon = machines.daemon()
        for _ in range(2):
            machines.launch("waiting")
        until(lambda: len(list(place.glob("began-*"))) == 2, "two runs at once")
        assert statuses() == {"waiting": ["STARTED", "STARTED"]}

        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait()
        machines.launch("observe_inputs")
        (place / "go-on").touch()
        until(lambda: statuses()["waiting"] == ["SUCCESS"] * 2, "the runs without a daemon")
        assert statuses()["observe_inputs"] == ["QUEUED"]

        machines.daemon()
        until(lambda: statuses()["observe_inputs"] == ["SUCCESS"], "what was queued meanwhile")
        assert statuses() == {"waiting": ["SUCCESS"] * 2, "observe_inputs": ["SUCCESS"]}
        for run in instance.get_runs():
            events = [e.dagster_event.event_type_value for e in instance.all_logs(run.run_id) if e.dagster_event]
            assert events.count("PIPELINE_START") == events.count("PIPELINE_SUCCESS") == 1
        observed = instance.fetch_observations(dg.AssetKey("policy"), limit=10).records
        assert len(observed) == 1


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
