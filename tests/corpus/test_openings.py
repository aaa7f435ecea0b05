"""How often answers open alike."""

from safety_assets.corpus.openings import Opening, commonest_opening


def test_the_first_five_words_count_without_case_and_marks() -> None:
    answers = ["I can't help with that, sorry.", "I CAN'T help, with that!", "No.", "Please call somebody now, today."]
    assert commonest_opening(answers) == Opening("i can't help with that", 2, 0.5)


def test_equally_common_openings_go_by_the_alphabet_and_none_is_none() -> None:
    assert commonest_opening(["b", "a"]) == Opening("a", 1, 0.5)
    assert commonest_opening([]) == Opening("", 0, 0.0)
