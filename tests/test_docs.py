"""README and docs: every command and option that they name exists, every link leads somewhere."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "commands"))

import command_tree  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CALL = re.compile(r"^(?:\$ )?safety-assets ([a-z][^#`\n]*)", re.MULTILINE)
INLINE = re.compile(r"`safety-assets ([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)\)")
MAKE = re.compile(r"`make ([a-z]+)`|^make ([a-z]+)", re.MULTILINE)


def named(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    return [call.split() for call in (*CALL.findall(text), *INLINE.findall(text)) if not call.startswith("-")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    leaves = command_tree.leaves()
    for words in named(page):
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in leaves), None)
        assert name, f"{page.name}: safety-assets {' '.join(words)}"
        options = set(command_tree.options(leaves[name])) | {"--help"}
        wanted = {word.strip("[],").split("=")[0] for word in words if word.strip("[").startswith("--")}
        assert wanted <= options, f"{page.name}: safety-assets {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for one, other in MAKE.findall(page.read_text(encoding="utf-8")):
            assert (one or other) in targets, f"{page.name}: make {one or other}"
