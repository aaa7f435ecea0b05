"""The evidence page: whole in itself, everything on it escaped, complete also where little is at hand."""

import dataclasses
import html
import re
from html.parser import HTMLParser

from hostile import HOSTILE, NO_CHARACTERS, categories, hostile_page, items

from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, Verdict
from safety_assets.release.decision import decide
from safety_assets.release.evidence import page
from safety_assets.release.evidence_page import Shown, html_page

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "h1", "h2", "p", "code", "ul", "li", "table",
    "thead", "tbody", "tr", "th", "td", "span", "details", "summary", "pre", "img", "br",
}  # fmt: skip


class Read(HTMLParser):
    """Which elements, attributes and texts a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_hostile_text_is_text():
    read = Read(hostile_page())
    assert set(read.tags) <= ALLOWED
    assert read.tags.count("img") == 1
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert sum(HOSTILE in text for text in read.texts) >= 15


def test_characters_that_no_document_may_hold_are_shown_as_missing():
    text = hostile_page()
    assert not set(text) & set(NO_CHARACTERS.replace("[31m", ""))
    assert "\ufffd\ufffd\ufffd[31m\ufffd\ufffd\ufffd" in text
    assert text.encode().decode() == text


def test_nothing_on_it_is_fetched():
    read = Read(hostile_page())
    addresses = [value for name, value in read.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert len(addresses) == 1
    assert addresses[0].startswith("data:image/svg+xml;base64,")
    assert not re.search(r"url\(|@import", hostile_page())


def test_it_says_the_verdict_the_figures_and_every_digest(evidence, policy):
    decision = decide(evidence, policy)
    shown = Shown(project="demo", deltas=evidence.deltas, policy=policy, mask=str)
    text = " ".join(Read(html_page(decision, shown)).texts)
    assert "Approved. mixed may be released" in text
    assert decision.digest in text
    assert all(digest in text for digest in decision.digests.values())
    assert all(name in text for name in DIMENSIONS)
    assert "Not at hand." in text


def test_it_says_what_the_markdown_page_says(evidence, policy):
    """Each heading, sentence and cell; one column has another name, since reasons stand in it too."""
    apart = {"baseline": 9.25, "candidate": 3.75, "drop": 5.5, "drop_low": 5.0, "drop_high": 6.0, "max_drop": 0.5}
    attacks = {f"attack_{side}_{key}": 0.125 for side in ("base", "tuned") for key in ("answered", "low", "high")}
    lost = Verdict(check="wrapped_prefill", status="fail", reasons=("Prefill | <b>.",), numbers={**apart, **attacks})
    waived = Verdict(check="in_domain_fairness", status="pass", numbers={"waived_by": "Ada <a@b>", "drop": 2.5})
    upstream = {lost.check: lost, waived.check: waived}
    decision, null = decide(dataclasses.replace(evidence, upstream=upstream), policy), {"num_flips": 1, "num_items": 8}
    shown = Shown(project="demo", deltas=evidence.deltas, policy=policy, mask=str, null=null)
    texts = [" ".join(text.split()) for text in Read(html_page(decision, shown)).texts]
    lines = page(decision, evidence.deltas, policy, null=null).splitlines()
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert {"Gated apart", "Why not"} <= {*headings} <= {*texts}
    cells = {html.unescape(one.strip(" `")) for line in lines if line[:2] == "| " for one in line.split("|")}
    assert {"wrapped_prefill", "12.5% (12.5% to 12.5%)", "waived by Ada <a@b>"} <= cells
    assert cells - {"", "-", *texts} == {"figures"}
    said = [html.unescape(line) for line in lines if line and line[0] not in "#|*-"]
    assert any(line.startswith("Base against base, asked the same twice: 1 of 8 verdicts flip") for line in said)
    assert not [line for line in said if line not in texts and "Decided on" not in line]
    assert texts.count("wrapped_prefill") == 1


def test_without_any_evidence_it_still_says_why(evidence, policy):
    decision = decide(dataclasses.replace(evidence, deltas=None, scores=None), policy)
    read = Read(html_page(decision, Shown(project="demo", deltas=DELTAS.empty(), policy=policy, mask=str)))
    said = " ".join(read.texts)
    assert all(reason in said for reason in decision.reasons)
    assert "unscored" in said


def test_what_is_shown_of_prompts_and_answers_is_masked_and_the_sensitive_folded(evidence, policy):
    said = "My card is 4111"
    shown = Shown(
        project="demo", deltas=evidence.deltas, policy=policy, items=items(said), categories=categories(said),
        mask=lambda text: text.replace("4111", "<digits>"),
    )  # fmt: skip
    page = html_page(decide(evidence, policy), shown)
    summaries = re.findall(r"<summary>(.*?)</summary>", page)
    assert [line.split(" (")[0] for line in summaries[1:]] == [
        "harmful or personal prompt, folded",
        "My card is &lt;digits&gt;",
    ]
    assert "<pre>My card is &lt;digits&gt;</pre>" in page
    assert "<details open" not in page
