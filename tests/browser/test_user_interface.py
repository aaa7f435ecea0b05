"""What a person sees: the graph, a run that is rejected, its reasons, and a release that is refused."""

import json
import re
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
    return ended(server, launched["run"]["runId"])


def run_ids(server: str) -> list[str]:
    runs = ask(server, "{ runsOrError(limit: 50) { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
    return [run["runId"] for run in runs]


def ended(server: str, run_id: str) -> str:
    """Wait for the end of a run, and return its status."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        status = ask(server, STATUS, id=run_id)["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return status
        time.sleep(1)
    raise AssertionError(f"{run_id} did not end")


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


def test_an_asset_shows_who_answers_its_columns_and_its_code(
    page: Page, server: str, measured: None, screenshots: Path
) -> None:
    show(page, f"{server}/assets/audited_corpus?view=overview", "data_steward", screenshots / "overview.png")
    for said in ("content hash of the row as it was given", "safety_assets/role"):
        assert page.get_by_text(said).count() >= 1, said
    show(page, f"{server}/assets/injection_ratio", "dose_response", screenshots / "plot.png")
    assert shown_drawings(page, screenshots / "drawing.png") == 1


def test_a_rejected_recipe_fails_its_run_and_shows_why(
    page: Page, server: str, project: Path, measured: None, screenshots: Path
) -> None:
    settings = small_project.policy_settings()
    settings["task"]["floor"] = 0.99
    small_project.write_yaml(project / "policy.yaml", settings)
    assert run_job(server, "fine_tune", "plain") == "FAILURE"
    show(
        page, f"{server}/assets/release_decision?view=checks&partition=plain", "task_floor", screenshots / "checks.png"
    )
    decision = f"{server}/assets/release_decision?view=partitions&partition=plain"
    show(page, decision, "rejected", screenshots / "decision.png")
    page.get_by_text("evidence_page").first.wait_for(timeout=30_000)
    assert page.get_by_text("evidence.html").count() >= 1
    assert nothing_runs_out(page)
    checkpoint = f"{server}/assets/finetuned_checkpoint?view=partitions&partition=plain"
    show(page, checkpoint, "final_loss", screenshots / "checkpoint.png")
    assert shown_drawings(page, screenshots / "training.png") == 2
    assert nothing_runs_out(page)


def nothing_runs_out(page: Page) -> bool:
    """Whether every row of the metadata stays inside its table."""
    return page.evaluate(
        "[...document.querySelectorAll('table')].every(t => t.scrollWidth <= t.parentElement.clientWidth + 1)"
    )


def test_an_asset_launched_from_the_launchpad_is_refused_with_the_reason_and_another_succeeds(
    page: Page, server: str, measured: None, screenshots: Path
) -> None:
    """The buttons that a person presses: partition, launch, the page of the run."""
    refused = launched_from_the_page(page, server, "released_model", "protected")
    assert ended(server, refused) == "FAILURE"
    show(page, f"{server}/runs/{refused}", "refused", screenshots / "refused.png")
    assert page.get_by_text("release_decision").count() >= 1
    made = launched_from_the_page(page, server, "recipe_leaderboard", None)
    assert ended(server, made) == "SUCCESS"
    show(page, f"{server}/assets/recipe_leaderboard", "pareto", screenshots / "leaderboard.png")
    assert shown_drawings(page, screenshots / "pareto.png") == 1


def launched_from_the_page(page: Page, server: str, asset: str, recipe: str | None) -> str:
    """Press Materialize on the page of an asset, choose the partition, launch; the id of the run."""
    before = set(run_ids(server))
    page.goto(f"{server}/assets/{asset}")
    page.get_by_role("button", name="Materialize").first.click(timeout=60_000)
    page.wait_for_timeout(3000)
    if page.get_by_role("button", name="Confirm").count():  # Dagster's own warning: upstream was never materialized
        page.get_by_role("button", name="Confirm").click()
    if recipe is not None:
        page.get_by_text("Select a partition or create one").click(timeout=30_000)
        page.get_by_text(recipe, exact=True).locator("visible=true").last.click()
        page.get_by_text("Partition selection").click()
        page.get_by_role("button", name=re.compile("^Launch")).click(timeout=30_000)
    end = time.monotonic() + 60
    while not (new := set(run_ids(server)) - before):
        assert time.monotonic() < end, f"{asset} was not launched"
        page.wait_for_timeout(500)
    return new.pop()


def shown_drawings(page: Page, picture: Path) -> int:
    """Open every drawing of the page in turn; how many are drawn."""
    drawn = 0
    for link in page.get_by_text("[Show Markdown]").all():
        link.click()
        page.wait_for_timeout(500)
        image = page.locator("[role=dialog] img[src^='data:image/svg+xml']")
        if image.count() and image.first.evaluate("image => image.naturalWidth") > 100:
            drawn += 1
            page.screenshot(path=str(picture.with_stem(f"{picture.stem}-{drawn}")))
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)
    return drawn


def test_a_release_launched_alone_is_refused(page: Page, server: str, measured: None, screenshots: Path) -> None:
    assert run_job(server, "fine_tune", "protected", ("released_model",)) == "FAILURE"
    page.goto(f"{server}/runs")
    page.get_by_text("fine_tune").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=str(screenshots / "runs.png"))


def test_a_released_recipe_is_green_beside_the_rejected_one(
    page: Page, server: str, project: Path, measured: None, screenshots: Path
) -> None:
    """Each recipe has checks of its own: what is red of one is green of the other, and the board shows both."""
    small_project.write_yaml(project / "policy.yaml", small_project.policy_settings())
    assert run_job(server, "observe_inputs") == "SUCCESS"
    assert run_job(server, "fine_tune", "protected") == "SUCCESS"
    checks = f"{server}/assets/release_decision?view=checks&partition=protected"
    show(page, checks, "task_floor", screenshots / "checks_green.png")
    page.get_by_text("task_floor").first.click()
    page.get_by_role("tab", name="Partitions").last.click()
    page.get_by_text("protected").first.wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(screenshots / "red_and_green.png"))
    for said in ("Failed (1)", "Passed (1)"):
        assert page.get_by_text(said).count() == 1, said
    decision = f"{server}/assets/release_decision?view=partitions&partition=protected"
    show(page, decision, "approved", screenshots / "approved.png")
    assert run_job(server, "compare_recipes") == "SUCCESS"
    show(page, f"{server}/assets/recipe_leaderboard?view=overview", "protected", screenshots / "leaderboard.png")
