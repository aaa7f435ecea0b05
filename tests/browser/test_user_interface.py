"""What a person sees: the graph, a run that is rejected, its reasons, and a release that is refused."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_project
from browsing import FLAGS
from playwright.sync_api import Page, sync_playwright

LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def page(chromium: Path, server: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        yield page
        browser.close()


def ask(server: str, query: str, **variables: object) -> dict:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{server}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def run_job(server: str, job: str, recipe: str | None = None, assets: tuple[str, ...] = ()) -> str:
    """Launch a job as the user interface does, wait for its end, return its status."""
    selector = {"repositoryLocationName": "safety_assets", "repositoryName": "__repository__", "jobName": job}
    if assets:
        selector["assetSelection"] = [{"path": [name]} for name in assets]
    tags = [{"key": "dagster/partition", "value": recipe}] if recipe else []
    parameters = {"selector": selector, "runConfigData": {}, "mode": "default", "executionMetadata": {"tags": tags}}
    launched = ask(server, LAUNCH, parameters=parameters)["launchRun"]
    run_id = launched["run"]["runId"]
    end = time.monotonic() + 180
    while time.monotonic() < end:
        status = ask(server, STATUS, id=run_id)["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return status
        time.sleep(1)
    raise AssertionError(f"{job} did not end")


@pytest.fixture(scope="module")
def measured(server: str) -> None:
    assert run_job(server, "observe_inputs") == "SUCCESS"
    assert run_job(server, "measure") == "SUCCESS"


def show(page: Page, address: str, text: str, picture: Path) -> None:
    page.goto(address)
    page.get_by_text(text).first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(picture))


def test_the_graph_shows_every_group_in_the_order_of_the_flow(page: Page, server: str, screenshots: Path) -> None:
    show(page, f"{server}/asset-groups", "training", screenshots / "groups.png")
    for name in ("inputs", "corpus", "baseline", "training", "evaluation", "release"):
        assert page.get_by_text(name, exact=True).count() >= 1
    address = f"{server}/locations/safety_assets/asset-groups/release/lineage"
    show(page, address, "released_model", screenshots / "release.png")
    for name in ("release_decision", "model_card"):
        assert page.get_by_text(name, exact=True).count() >= 1


def test_a_rejected_recipe_fails_its_run_and_shows_why(
    page: Page, server: str, project: Path, measured: None, screenshots: Path
) -> None:
    settings = small_project.policy_settings()
    settings["task"]["floor"] = 0.99
    small_project.write_yaml(project / "policy.yaml", settings)
    assert run_job(server, "fine_tune", "plain") == "FAILURE"
    show(page, f"{server}/assets/release_decision?view=checks", "task_floor", screenshots / "checks.png")
    show(page, f"{server}/assets/release_decision?partition=plain", "rejected", screenshots / "decision.png")


def test_a_release_launched_alone_is_refused(page: Page, server: str, measured: None, screenshots: Path) -> None:
    assert run_job(server, "fine_tune", "protected", ("released_model",)) == "FAILURE"
    page.goto(f"{server}/runs")
    page.get_by_text("fine_tune").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=str(screenshots / "runs.png"))
