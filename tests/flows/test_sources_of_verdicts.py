"""What is kept by a digest of sources is made anew when any source that decides it changes."""

import ast

from safety_assets.flows.code_version import BELOW, PACKAGE
from safety_assets.flows.judge_record import RULES


def imported(module: str) -> set[str]:
    """Modules of this package that a module imports, without the package's name."""
    tree = ast.parse(PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    named = {name for node in nodes for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))}
    own = {name.removeprefix("safety_assets.") for name in named if name.startswith("safety_assets.")}
    return {name for name in own if PACKAGE.joinpath(*name.split(".")).with_suffix(".py").is_file()}


def everything_below(*modules: str) -> set[str]:
    found, left = set[str](), set(modules)
    while left:
        found |= left
        left = {name for module in left for name in imported(module)} - found
    return found


def covered(modules: set[str], packages: tuple[str, ...]) -> set[str]:
    """Those that neither stand in the packages nor are read by everything."""
    return {name for name in modules if name.partition(".")[0] not in (*packages, "records", "errors")}


def test_every_source_of_a_verdict_is_in_its_digest():
    deciding = everything_below("evals.judges", "evals.agreement")
    assert {"evals.contact_data", "reading.answers", "hashes"} <= deciding
    assert covered(deciding, BELOW["evals"]) <= set(RULES)


def test_what_reading_stands_on_is_in_the_digest_of_whoever_reads():
    below = everything_below("reading.answers", "reading.requests", "refusals")
    for package in ("corpus", "evals"):
        assert not covered(below, BELOW[package])
