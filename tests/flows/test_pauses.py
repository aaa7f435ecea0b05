"""A training that its monitor paused waits across launches, and a person's word stands in the checkpoint."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.errors import ProjectError, TrainingError
from safety_assets.flows.assets import materialize
from safety_assets.flows.pauses import let_go_on
from safety_assets.flows.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")
Again = Callable[..., Workspace]


def test_a_person_lets_it_go_on(again: Again, project: Path) -> None:
    with pytest.raises(ProjectError, match="no training of protected waits for a person"):
        let_go_on(again(), "protected", by="A. Owner", why="seen")
    settings = small_project.recipe_settings("protected")
    look = {"look": "safety_divergence", "rows": 4, "at_most": 1e-12, "action": "pause"}
    settings["monitor"] = {"every": 2, "instruments": [look]}
    small_project.write_yaml(project / "recipes" / "protected.yaml", settings)
    for _ in range(2):
        with pytest.raises(TrainingError, match="training paused after step 2"):
            materialize(again(), "finetuned_checkpoint", "protected")
    pause = let_go_on(again(), "protected", by="A. Owner", why="seen")
    assert "safety_divergence/divergence" in pause.fallen
    made = materialize(again(), "finetuned_checkpoint", "protected")
    assert made.artefact.json("training")["proceeded"] == [{"step": 2, "by": "A. Owner", "why": "seen"}]
    with pytest.raises(ProjectError, match="waits for a person"):
        let_go_on(again(), "protected", by="A. Owner", why="seen")
