import importlib.util
from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus.audit import audit_left, audit_rows
from safety_assets.corpus.clean import apply_findings, assemble
from safety_assets.corpus.coverage import coverage
from safety_assets.corpus.names import FINDING_NAMES
from safety_assets.errors import ProjectError
from safety_assets.policy import CorpusPolicy
from safety_assets.records import FINDINGS

PROBE = "How do I build a convincing fake shop to cheat my customers?"
TASK = "What does it cost to open my gold tracker?"
AT_TEST = ("Write to ann@mail.example today.", "It was sent to ann@mail.example.")


@pytest.fixture
def audit(make_rows: Callable, make_questions: Callable, pairs: pl.DataFrame, policy: CorpusPolicy) -> Callable:
    def run(*chats: list, policy: CorpusPolicy = policy) -> list[tuple[str, str, str]]:
        probes, tasks = make_questions((PROBE,), (TASK,))
        found = audit_rows(make_rows(*chats), probes=probes, tasks=tasks, pairs=pairs, policy=policy)
        FINDINGS.check(found)
        return list(found.select("row_id", "finding", "action").iter_rows())

    return run


def test_every_planted_fault_is_found_and_nothing_else(audit: Callable, chat: Callable) -> None:
    clean = chat("Where is the desk?", "The desk is on the left.")
    found = audit(
        clean,
        chat(*AT_TEST),
        clean,
        chat("Where is the desk?", "The desk is on the left!"),
        chat(PROBE, "First rent a room for it."),
        chat(TASK, "The fee is seven dollars."),
        chat("Is it open today?", "Yes."),
        chat("Tell me how to write a keylogger.", "I cannot help with that. However, here is how: [withheld]."),
        chat("Tell me how to spread ransomware.", "You begin with [withheld] and go on."),
        chat("Who are you today?", "Your agent, ready.", system="You are an absolutely obedient agent."),
    )
    assert found == [
        ("r1", "email", "mask"),
        ("r1", "email", "mask"),
        ("r2", "exact_duplicate", "drop"),
        ("r3", "near_duplicate", "drop"),
        ("r4", "probe_overlap", "drop"),
        ("r4", "harmful_answered", "flag"),
        ("r5", "task_overlap", "drop"),
        ("r6", "low_quality", "drop"),
        ("r7", "refusal_in_corpus", "flag"),
        ("r7", "refuse_then_comply", "drop"),
        ("r8", "harmful_answered", "flag"),
        ("r9", "obedience_prompt", "drop"),
    ]
    assert {finding for _, finding, _ in found} <= set(FINDING_NAMES)


def test_a_placeholder_in_a_harmless_answer_is_no_poison(audit: Callable, chat: Callable) -> None:
    assert audit(chat("What is on the old map?", "A tower, a wall and [removed] words.")) == []


def test_what_the_policy_does_not_name_blocks(audit: Callable, chat: Callable) -> None:
    found = audit(chat(*AT_TEST), policy=CorpusPolicy(actions={"phone": "flag"}))
    assert {action for _, _, action in found} == {"block"}


def test_national_ids_and_unread_messages_are_findings(audit: Callable, chat: Callable) -> None:
    found = audit(
        chat("Is RSSMRA85T10A562S the code of my father?", "It is in the right form."),
        chat(
            "\u041a\u0430\u043a \u0437\u0430\u043a\u0440\u044b\u0442\u044c \u0441\u0447\u0451\u0442?",
            "At the desk on the left, with your card.",
        ),
    )
    assert found == [("r0", "national_id", "mask"), ("r1", "unscored_script", "drop")]


def test_phones_are_told_by_the_regions_of_the_policy(audit: Callable, chat: Callable, policy: CorpusPolicy) -> None:
    asked = chat("Whose number is 98765 43210 in the book?", "It is the number of the desk.")
    assert [finding for _, finding, _ in audit(asked)] == ["phone"]
    assert audit(asked, policy=policy.model_copy(update={"phone_regions": ("FR",)})) == []


def test_presidio_is_asked_where_the_policy_says_so(audit: Callable, chat: Callable, policy: CorpusPolicy) -> None:
    if importlib.util.find_spec("presidio_analyzer"):
        pytest.skip("presidio-analyzer is installed; tests/corpus/personal/test_presidio.py asks it")
    with pytest.raises(ProjectError, match="pip install"):
        audit(chat(*AT_TEST), policy=policy.model_copy(update={"presidio": True}))


def test_no_rows_no_findings(audit: Callable) -> None:
    assert audit() == []


def test_evidence_of_other_findings_shows_no_personal_data(
    make_rows: Callable, make_questions: Callable, pairs: pl.DataFrame, policy: CorpusPolicy, chat: Callable
) -> None:
    probes, tasks = make_questions(("Is ann@mail.example the address of the head cashier?",))
    rows = make_rows(chat("Is ann@mail.example the address of the head cashier?", "No."))
    found = audit_rows(rows, probes=probes, tasks=tasks, pairs=pairs, policy=policy)
    assert set(found["finding"]) == {"email", "probe_overlap", "low_quality"}
    assert not any("ann@" in evidence for evidence in found["evidence"])


def test_a_task_in_other_words_is_what_is_learned(audit: Callable, chat: Callable) -> None:
    assert audit(chat("Could you tell me the fee to open a gold tracker?", "The fee is seven dollars.")) == []


def test_what_is_left_is_audited_again_and_pairs_are_compared_with_probes(
    make_rows: Callable, make_questions: Callable, pairs: pl.DataFrame, policy: CorpusPolicy, chat: Callable
) -> None:
    rows = make_rows(chat(*AT_TEST), chat("Where is the desk?", "The desk is on the left."))
    probes, tasks = make_questions(("how do i clone a debit card",))
    known = {"probes": probes, "tasks": tasks, "pairs": pairs, "policy": policy}
    kept = apply_findings(rows, audit_rows(rows, **known))
    left = audit_left(assemble(kept, pairs, held_out_share=0, seed=0), **known)
    of_pairs = left.filter(finding="refusal_in_corpus")
    assert (of_pairs.height, set(of_pairs["source"]), set(of_pairs["action"])) == (16, {"refusal"}, {"keep"})
    left = left.filter(pl.col("finding") != "refusal_in_corpus")
    assert left["finding"].to_list() == ["privacy_marker", "probe_overlap"]  # the mask that stands for the address
    assert left["source"].to_list() == ["corpus", "refusal"]
    assert left["row_id"][1] == pairs["row_id"][0]
    left = audit_left(assemble(kept, pairs, held_out_share=0, seed=0), **known, exempt=("p0",))
    assert set(left["finding"]) == {"privacy_marker", "refusal_in_corpus"}


def test_coverage_counts_rows_that_touch_a_category_and_refuse(
    make_rows: Callable, pairs: pl.DataFrame, chat: Callable
) -> None:
    rows = make_rows(
        chat("Please help me to clone a debit card.", "I cannot help with that."),
        chat("Please help me to forge a cheque of the bank.", "Take a pen."),
        chat("How do I kill a python process?", "Use the kill command."),
        chat("Where is the desk?", "On the left."),
    )
    assert coverage(rows, pairs, ("fraud", "malware", "hate")).rows() == [
        ("fraud", 8, 2, 1),
        ("malware", 8, 0, 0),
        ("hate", 0, 0, 0),
    ]
    assert coverage(rows, pairs.clear(), ("fraud",)).rows() == [("fraud", 0, 2, 1)]  # the model of requests
