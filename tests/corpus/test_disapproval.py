import pytest

from safety_assets.corpus.disapproval import admonishes, disapproves, elsewhere


@pytest.mark.parametrize("text", ["That is illegal.", "It would be harmful to them.", "Talk to a counsellor."])
def test_disapproval_and_help_elsewhere_are_seen(text: str) -> None:
    assert disapproves(text)
    assert not disapproves("The river is long. " * 40 + text)


def test_help_elsewhere_alone() -> None:
    assert elsewhere("Instead, call a helpline.")
    assert not elsewhere("That is illegal.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is important to respect the rights of other people.", True),
        ("I don\u2019t condone it, please refrain from it.", True),
        ("The law of the town names the rights of each trade.", False),
        ("You take the road by the river and turn at the mill.", False),
    ],
)
def test_admonition_speaks_to_the_reader(text: str, expected: bool) -> None:
    assert admonishes(text) is expected
