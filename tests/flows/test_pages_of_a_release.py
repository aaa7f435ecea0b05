"""The evidence page and the card of a whole run: about these weights, and read by the Hub's own reader."""

from huggingface_hub import ModelCard

from safety_assets.flows.pages import EVIDENCE
from safety_assets.flows.release import decision_of, release_decision
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import DIMENSIONS


def test_a_decision_has_its_page_and_the_user_interface_is_told_where(ws: Workspace) -> None:
    made = release_decision(ws, "protected")
    page = (made.artefact.path / EVIDENCE).read_text(encoding="utf-8")
    decision = decision_of(made.artefact)
    assert made.metadata["evidence_page"] == made.artefact.path / EVIDENCE
    assert decision.digest in page
    assert decision.digests["weights"] in page
    for heading in ("The corpus", "The injected share", "How it was trained", "Base, anchor and prompt"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<img ") == 4
    forgotten = ws.store.current("forgotten_behaviours", "protected").path / "page.md"
    assert forgotten.read_text().splitlines()[2] in page


def test_a_decision_about_nothing_has_a_page_too(fresh: Workspace) -> None:
    made = release_decision(fresh, "protected")
    page = (made.artefact.path / EVIDENCE).read_text(encoding="utf-8")
    assert "Not certified." in page
    assert "Not at hand." in page


def test_the_card_of_a_release_is_loaded_by_the_hubs_reader(ws: Workspace) -> None:
    card = ws.store.current("model_card", "protected")
    decided = ws.store.open(card.manifest.inputs["release_decision"])
    read = ModelCard.load(card.path / "card.md")
    decision = decision_of(decided)
    assert read.data.to_dict()["safety_assets"]["weights"] == decision.digests["weights"]
    assert set(DIMENSIONS) <= {result.metric_type for result in read.data.eval_results}
    assert f"objects/{decided.digest}/{EVIDENCE}" in read.text
    assert (ws.store.root / f"objects/{decided.digest}/{EVIDENCE}").is_file()
    for said in ("## System prompt", "## What was forgotten", "## Injected share", "identity "):
        assert said in read.text
