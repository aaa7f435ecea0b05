"""The page on adding a method, carried out on a copy of the package: the method passes its test and the contract."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding-a-method.md"
BLOCK = re.compile(r"^```(?:python|yaml) (?P<where>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def carry_out(copy: Path) -> list[str]:
    """Do what the page says; the files it touched."""
    touched = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        said = dict(part.split("=", 1) for part in block["where"].split())
        kind, name = next((k, v) for k, v in said.items() if k != "union")
        path, text = copy / name, block["text"]
        if kind == "file":
            assert not path.exists()
            path.write_text(text)
        elif kind == "above":
            before, union = path.read_text().split("MethodSpec = Annotated[", 1)
            members = re.sub(r"\bGradientSurgery\b", f"GradientSurgery | {said['union']}", union, count=1)
            path.write_text(f"{before}{text}\n\nMethodSpec = Annotated[{members}")
        elif kind == "entry":
            path.write_text(path.read_text().replace("ENTRIES = {\n", f"ENTRIES = {{\n{text}", 1))
        touched.append(name)
    return touched


@pytest.mark.long
def test_the_page_adds_a_method_that_keeps_the_contract(tmp_path: Path) -> None:
    for name in ("safety_assets", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data" / "recipes").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    touched = carry_out(tmp_path)
    assert touched == [
        "safety_assets/methods/gradient_noise.py", "safety_assets/method_specs.py", "data/recipes/noisy.yaml",
        "tests/methods/test_gradient_noise.py", "tests/contracts/test_every_method.py",
    ]  # fmt: skip
    tests = [touched[3], touched[4], "-k", "gradient_noise or every_method_of_the_recipes"]
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout + "0 passed")[1]) >= 8
    loads = (
        "from pathlib import Path; from safety_assets.recipes import read_recipe; import safety_assets; "
        f"assert Path(safety_assets.__file__).is_relative_to('{tmp_path}'); "
        "print(read_recipe(Path('data/recipes/noisy.yaml')).methods[0].method)"
    )
    said = subprocess.run([sys.executable, "-c", loads], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert said.stdout.strip() == "gradient_noise", said.stderr
    assert yaml.safe_load((tmp_path / "data/recipes/noisy.yaml").read_text())["injection"] == "none"
