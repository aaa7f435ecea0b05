import polars as pl
import pytest
from score_rows import scores_of

from safety_assets.evals.forgotten import forgotten
from safety_assets.evals.forgotten_page import page
from safety_assets.evals.neighbours import nearest, nearest_in
from safety_assets.records import AUDITED, PROBES, RESPONSES


def chat(text):
    return [{"role": "user", "content": text}]


def inputs(before, after):
    base, candidate = scores_of(before), scores_of(after, model="candidate")
    ids = base["probe_id"].to_list()
    probes = PROBES.frame([
        {"probe_id": p, "expect": ("comply", "refuse")[i % 2], "messages": chat(f"tell <b>{i}</b> pears")}
        for i, p in enumerate(ids)
    ])  # fmt: skip
    responses = [
        RESPONSES.frame(
            [{"model": m, "probe_id": p, "sample": 0, "completion": f"{m} | said\n\n</details>"} for p in ids]
        )
        for m in ("base", "candidate")
    ]
    texts = {"r1": ("refusal", "pears and plums"), "r2": ("corpus", "tax forms"), "r3": ("corpus", "tell of pears")}
    rows = AUDITED.frame([
        {"row_id": k, "origin": origin, "split": "train", "messages": chat(text)} for k, (origin, text) in texts.items()
    ])  # fmt: skip
    return base, candidate, probes, *responses, rows


def test_lost_and_gained_items_with_causes():
    found = forgotten(*inputs([1, 1, 1, 1, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, None]))
    assert found.items["change"].to_list() == ["lost", "lost", "gained"]
    assert found.items["probe_id"].to_list()[:2] == ["p00000", "p00001"]
    assert found.items["causes"].to_list() == [["r3"], ["r3"], []]
    assert found.items["sensitive"].to_list() == [False, True, False]
    assert int(found.categories["num_items"].sum()) == 7
    first = found.categories.filter(pl.col("num_lost") > 0).row(0, named=True)
    assert (first["num_lost"], first["p_value"], first["examples"]) == (2, 0.5, ["p00000", "p00001"]) or first[
        "num_gained"
    ]


def test_page_folds_and_escapes():
    text = page(forgotten(*inputs([1] * 8, [0, 0] + [1] * 6)))
    assert text.count("<details>") == text.count("</details>") == 3
    assert "<b>" not in text
    assert "harmful prompt, hidden until opened" in text
    assert "2 of 8 items" in text


def test_nothing_forgotten_says_so():
    found = forgotten(*inputs([1, 0] * 4, [1, 0] * 4))
    assert found.items.is_empty()
    assert "Nothing was forgotten" in page(found)


def test_probes_that_are_not_at_hand_stay_hidden():
    base, candidate, probes, one, two, rows = inputs([1] * 4, [0] * 4)
    found = forgotten(base, candidate, probes.clear(), one.clear(), two.clear(), rows.clear())
    assert found.items["sensitive"].all()
    assert found.items["before"].null_count() == 4


def test_nearest_is_cosine():
    documents = ["red apple pie", "green pear", "apple apple", ""]
    best = nearest(["apple", "red apple pie", "unknown"], documents, 2)
    assert [i for i, _ in best[0]] == [2, 0]
    assert best[0][0][1] == pytest.approx(1.0)
    assert best[1][0] == (0, pytest.approx(1.0))
    assert best[2] == []
    assert nearest(["a"], []) == [[]]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_parted_documents_are_as_near_as_whole_ones(size):
    words = ("pear", "plum", "apple", "fig", "tax", "form")
    documents = [" ".join(words[(i * k) % 6] for k in range(1 + i % 4)) for i in range(13)]
    parts = [documents[i : i + size] for i in range(0, len(documents), size)]
    asked = ["pear fig", "tax", "plum plum apple", "none"]
    assert nearest_in(asked, lambda: parts) == nearest(asked, documents)
