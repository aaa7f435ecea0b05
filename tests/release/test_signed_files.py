"""Signed files: what counts, and how forged, edited, replayed, expired and odd ones are void and named."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from signers import act_of, key_of, people, put, with_people

from safety_assets.people import MAY, Person, public_text
from safety_assets.policy import Policy
from safety_assets.release.acts import Act
from safety_assets.release.signed import LARGEST, Signed, folder_digests, read_signed, text_of

WEIGHTS, OTHER, CASE, LAW = "a" * 64, "c" * 64, "d" * 64, "b" * 64
TODAY = date(2026, 1, 31)
UNTIL = date(2030, 1, 1)


@pytest.fixture
def policy(law: dict) -> Policy:
    return with_people(law)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "signed").mkdir()
    return tmp_path / "signed"


def only(signed: Signed) -> str:
    assert signed.acts == ()
    (void,) = signed.void
    return void.why


def test_what_is_signed_counts_for_what_it_names_alone(folder: Path, policy: Policy) -> None:
    put(folder, "Bo", "sign_off")
    put(folder, "Ada", "sign_off", about="decision", digest=CASE)
    put(folder, "Ada", "sign_off", about="policy", digest=LAW)
    put(folder, "Ada", "waiver", dimension="fairness", expires=UNTIL)
    signed = read_signed(folder, "p", policy)
    assert signed.void == ()
    assert signed.sign_offs(WEIGHTS, CASE, TODAY) == {"safety_engineer": {"Bo"}, "model_owner": {"Ada"}}
    assert signed.sign_offs(OTHER, OTHER, TODAY) == {}
    assert [act.who for act in signed.of_policy(LAW, TODAY)] == ["Ada"]
    assert signed.of_policy(OTHER, TODAY) == ()
    assert set(signed.waivers(WEIGHTS)) == {"fairness"}
    assert signed.waivers(OTHER) == {}


def test_nothing_is_signed_where_there_is_no_folder(tmp_path: Path, policy: Policy) -> None:
    assert read_signed(tmp_path / "signed", "p", policy) == Signed()
    assert folder_digests(tmp_path / "signed") == {}


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace("It is known", "It is fine"))


def edited_and_renamed(path: Path) -> None:
    value = json.loads(path.read_text())
    act = Act.model_validate({**value["body"], "digest": OTHER})
    (path.parent / act.file_name).write_text(json.dumps({**value, "body": act.model_dump(mode="json")}, indent=2))
    path.unlink()


def edited_whole(path: Path) -> None:
    """A careful forger: another digest, in the right form and under the right name, with the old signature."""
    value = json.loads(path.read_text())
    act = Act.model_validate({**value["body"], "digest": OTHER})
    (path.parent / act.file_name).write_text(text_of(act, base64.b64decode(value["signature"])))
    path.unlink()


def twice_said(path: Path) -> None:
    path.write_text(path.read_text().replace('"who": "Ada"', '"who": "Eve",\n    "who": "Ada"'))


def linked(path: Path) -> None:
    moved = path.parent.parent / "elsewhere.json"
    path.rename(moved)
    path.symlink_to(moved)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited body": (edited, "renamed, or edited"),
    "edited, renamed": (edited_and_renamed, "not as it was written"),
    "edited, renamed, rewritten": (edited_whole, "not that of Ada"),
    "renamed": (lambda path: path.rename(path.with_name("sign_off-000000000000.json")), "renamed, or edited"),
    "a key twice": (twice_said, "not as it was written"),
    "spaces": (lambda path: path.write_text(path.read_text() + "\n"), "not as it was written"),
    "no JSON": (lambda path: path.write_text("{"), "no signed file"),
    "no UTF-8": (lambda path: path.write_bytes(b"\xff\xfe{"), "no signed file"),
    "nested": (lambda path: path.write_text("[" * 30000), ""),
    "a list": (lambda path: path.write_text("[]"), "no signed file"),
    "no signature": (lambda path: path.write_text(json.dumps({"body": json.loads(path.read_text())["body"]})), "no"),
    "long": (lambda path: path.write_text(" " * (LARGEST + 1)), "longer than"),
    "empty": (lambda path: path.write_text(""), "no signed file"),
    "a link": (linked, "no ordinary file"),
    "a folder": (a_folder, "no ordinary file"),
    "a pipe": (a_pipe, "no ordinary file"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_sign_off_is_void_and_named(how: str, folder: Path, policy: Policy) -> None:
    change, why = SPOILT[how]
    change(put(folder, "Ada", "sign_off"))
    signed = read_signed(folder, "p", policy)
    assert why in only(signed)
    assert signed.told_void()[0].startswith(f"signed/{signed.void[0].name} is void: ")
    assert signed.sign_offs(WEIGHTS, CASE, TODAY) == {}
    assert signed.sign_offs(OTHER, CASE, TODAY) == {}
    assert signed.holds(WEIGHTS, TODAY) == ()


@pytest.mark.parametrize("how", [how for how in SPOILT if how != "renamed"])
def test_bypass_a_spoilt_hold_still_holds(how: str, folder: Path, policy: Policy) -> None:
    SPOILT[how][0](put(folder, "Ada", "hold"))
    signed = read_signed(folder, "p", policy)
    assert signed.acts == ()
    (reason,) = signed.holds(WEIGHTS, TODAY)
    assert "may be a hold" in reason


def test_bypass_a_hold_under_a_harmless_name_still_holds(folder: Path, policy: Policy) -> None:
    held = put(folder, "Ada", "hold")
    held.rename(folder / "waiver-000000000000.json")
    assert len(read_signed(folder, "p", policy).holds(WEIGHTS, TODAY)) == 1


@pytest.mark.parametrize("change", [lambda f: (f.rmdir(), f.write_text("")), lambda f: (f.rmdir(), f.symlink_to("/"))])
def test_a_folder_that_is_none_holds_everything(change, folder: Path, policy: Policy) -> None:
    change(folder)
    assert len(read_signed(folder, "p", policy).holds(WEIGHTS, TODAY)) == 1


def test_a_page_beside_the_files_is_named_and_holds_nothing(folder: Path, policy: Policy) -> None:
    (folder / "README.md").write_text("What people signed.")
    (folder / ".new-x").write_text("on its way")
    signed = read_signed(folder, "p", policy)
    assert "no signed file" in only(signed)
    assert signed.holds(WEIGHTS, TODAY) == ()


def test_who_signs_must_be_known_hold_the_role_and_have_signed(folder: Path, law: dict) -> None:
    put(folder, "Ada", "sign_off")
    assert "names nobody called Ada" in only(read_signed(folder, "p", with_people(law, "Bo")))
    others = {**people("Ada"), "Ada": {"roles": ["model_owner"], "key": people("Bo")["Bo"]["key"]}}
    assert "not that of Ada" in only(read_signed(folder, "p", Policy.model_validate({**law, "people": others})))
    lower = {"Ada": {**people("Ada")["Ada"], "roles": ["data_steward"]}}
    assert "does not hold the role" in only(read_signed(folder, "p", Policy.model_validate({**law, "people": lower})))


@pytest.mark.parametrize(
    ("who", "kind", "said"),
    [
        ("Bo", "waiver", {"dimension": "fairness", "expires": UNTIL}),
        ("Cy", "disposition", {"dimension": "safety", "category": "fraud", "outcome": "accept", "expires": UNTIL}),
        ("Di", "disposition", {"dimension": "safety", "category": "fraud", "outcome": "fix"}),
        ("Bo", "sign_off", {"about": "policy", "digest": LAW}),
        ("Cy", "lift", {"lifts": OTHER}),
    ],
)
def test_a_role_signs_only_what_it_may(who: str, kind: str, said: dict, folder: Path, policy: Policy) -> None:
    put(folder, who, kind, **said)
    assert " may not " in only(read_signed(folder, "p", policy))


def test_the_law_of_roles_names_every_deed() -> None:
    assert frozenset().union(*MAY.values()) == MAY["model_owner"]
    assert {role for role, deeds in MAY.items() if "hold" in deeds} == {"model_owner"}


@pytest.mark.parametrize("name", ["safety", "privacy", "inclusivity", "luck"])
def test_only_a_supporting_dimension_is_waived(name: str, folder: Path, policy: Policy) -> None:
    put(folder, "Ada", "waiver", dimension=name, expires=UNTIL)
    assert name in only(read_signed(folder, "p", policy))


def test_an_act_of_another_project_or_of_a_time_to_come_is_void(folder: Path, policy: Policy) -> None:
    path = put(folder, "Ada", "sign_off")
    assert "of the project p" in only(read_signed(folder, "q", policy))
    path.unlink()
    put(folder, "Ada", "sign_off", made_at=datetime.now(UTC) + timedelta(hours=1))
    assert "to come" in only(read_signed(folder, "p", policy))


def test_a_signature_for_another_purpose_is_none(folder: Path, policy: Policy) -> None:
    act = act_of("Ada", "sign_off")
    (folder / act.file_name).write_text(text_of(act, key_of("Ada").sign(act.act_digest.encode())))
    assert "not that of Ada" in only(read_signed(folder, "p", policy))


def test_bypass_a_placeholder_key_is_refused_although_openssl_takes_any_signature_under_it() -> None:
    nobody = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(nobody).verify(nobody + bytes(32), b"whatever a forger likes")
    for sign in (0, 0x80):
        with pytest.raises(ValueError, match="anybody can sign"):
            Person(roles=("model_owner",), key=public_text(nobody[:31] + bytes([sign])))


def test_what_ends_counts_to_its_last_day(folder: Path, policy: Policy) -> None:
    for kind in ("sign_off", "hold"):
        put(folder, "Ada", kind, expires=TODAY)
    signed = read_signed(folder, "p", policy)
    for day, there in ((TODAY, True), (TODAY + timedelta(days=1), False)):
        assert bool(signed.sign_offs(WEIGHTS, CASE, day)) == there
        assert bool(signed.holds(WEIGHTS, day)) == there


def test_a_hold_is_lifted_by_naming_it_and_a_later_one_is_not(folder: Path, policy: Policy) -> None:
    first = act_of("Ada", "hold", about="project")
    put(folder, "Ada", "hold", about="project", made_at=first.made_at)
    held = read_signed(folder, "p", policy).holds(OTHER, TODAY)
    assert held == (f"Ada as model owner holds back all of project p from release: It is known. To lift it: "
                    f"safety-assets hold --lift {first.act_digest[:12]}.",)  # fmt: skip
    put(folder, "Eve", "lift", role="model_owner", about="project", lifts=first.act_digest)
    assert read_signed(folder, "p", policy).holds(OTHER, TODAY) == ()
    put(folder, "Ada", "hold", about="project", made_at=first.made_at + timedelta(seconds=1))
    assert len(read_signed(folder, "p", policy).holds(OTHER, TODAY)) == 1


def test_a_hold_on_weights_holds_no_others(folder: Path, policy: Policy) -> None:
    put(folder, "Ada", "hold", digest=OTHER)
    signed = read_signed(folder, "p", policy)
    assert (signed.holds(WEIGHTS, TODAY), len(signed.holds(OTHER, TODAY))) == ((), 1)


def test_the_last_word_on_a_loss_counts(folder: Path, policy: Policy) -> None:
    place, now = {"dimension": "safety", "category": "fraud"}, datetime.now(UTC)
    put(folder, "Bo", "disposition", **place, outcome="accept", expires=UNTIL, made_at=now - timedelta(days=1))
    put(folder, "Cy", "disposition", **place, outcome="fix", made_at=now)
    signed = read_signed(folder, "p", policy)
    assert signed.dispositions(WEIGHTS, TODAY)["safety", "fraud"].outcome == "fix"
    assert signed.dispositions(OTHER, TODAY) == {}


@pytest.mark.parametrize(
    "said",
    [
        {"about": "weights", "digest": None},
        {"about": "project", "digest": WEIGHTS},
        {"about": "project"},
        {"dimension": "fairness"},
        {"reason": "  "},
        {"made_at": "2026-01-02T03:04:05"},
        {"format": "safety-assets act 2"},
    ],
)
def test_a_sign_off_says_what_it_is_about_and_nothing_else(said: dict) -> None:
    with pytest.raises(ValueError, match="validation error"):
        act_of("Ada", "sign_off", **said)


def test_the_digest_of_the_folder_sees_every_change(folder: Path) -> None:
    path = put(folder, "Ada", "hold")
    seen = [folder_digests(folder)]
    edited(path)
    seen.append(folder_digests(folder))
    linked(path)
    seen.append(folder_digests(folder))
    shutil.rmtree(folder)
    seen.append(folder_digests(folder))
    assert len({json.dumps(one, sort_keys=True) for one in seen}) == len(seen)
