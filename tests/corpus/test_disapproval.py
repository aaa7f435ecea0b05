import pytest

from safety_assets.corpus.disapproval import disapproves, elsewhere


@pytest.mark.parametrize("text", ["That is illegal.", "It would be harmful to them.", "Talk to a counsellor."])
def test_disapproval_and_help_elsewhere_are_seen(text: str) -> None:
    assert disapproves(text)
    assert not disapproves("The river is long. " * 40 + text)


def test_help_elsewhere_alone() -> None:
    assert elsewhere("Instead, call a helpline.")
    assert not elsewhere("That is illegal.")
