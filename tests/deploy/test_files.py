"""The files of deploy/ fit each other: what can be said of them without a container engine."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("file", ["dagster.yaml", "deploy/dagster.postgres.yaml"])
def test_dagster_takes_every_key_of_an_instance(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / file, tmp_path / "dagster.yaml")
    settings, _ = dagster_instance_config(str(tmp_path))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert {"pools", "runs"} <= set(settings["concurrency"])
    assert settings["run_monitoring"]["enabled"]
    assert settings["freshness"]["enabled"]
    assert "sensor" in settings["retention"]


def test_services_name_networks_and_volumes_that_there_are() -> None:
    for name, service in SERVICES.items():
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0] if not mount.startswith("$") else ""
            assert not source or source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), (name, mount)


def test_nothing_but_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert "--read-only" in SERVICES["viewer"]["command"]
    assert "--read-only" not in SERVICES["webserver"]["command"]


def test_the_proxy_asks_everybody_who_they_are_and_sends_them_where_a_server_listens() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    handles = re.split(r"\bhandle\b", text)[1:]
    assert len(handles) == 2
    for part in handles:
        assert part.index("basic_auth") < part.index("reverse_proxy")
        host, port = re.search(r"reverse_proxy (\w+):(\d+)", part).groups()
        assert port in SERVICES[host]["command"]
    assert "/view" in SERVICES["viewer"]["command"]


def test_the_workspace_names_the_code_server() -> None:
    [entry] = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    server, command = entry["grpc_server"], SERVICES[entry["grpc_server"]["host"]]["command"]
    assert command[command.index("--port") + 1] == str(server["port"])


def test_every_variable_has_its_line_and_no_secret_a_value() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    lines = (line.split("=", 1) for line in (DEPLOY / "env.example").read_text().splitlines() if "=" in line)
    given = {name: value for name, value in lines if not name.startswith("#")}
    assert set(re.findall(r"\$\{(\w+)", text)) == set(given)
    assert {name for name, value in given.items() if value} == {"SITE", "PROJECT_FOLDER"}


def test_the_image_copies_what_there_is_and_does_not_run_as_root() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for line in text.splitlines():
        if line.startswith("COPY"):
            *sources, _ = line.split()[1:]
            assert all((ROOT / source).exists() for source in sources), line
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
