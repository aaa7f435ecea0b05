"""Every metric on single items: what is right, what is wrong, and what leaves an item unscored."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.evals.task_metrics import likelihood, multiple_choice, text
from safety_assets.evals.task_metrics.json_fields import json_fields
from safety_assets.evals.task_metrics.numeric import numbers, numeric
from safety_assets.evals.task_metrics.rouge import rouge
from safety_assets.task_metric import JsonFields, Numeric, Regex

CITIES = ("Paris", "Rome", "New York", "York")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab ", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xyz", max_size=2), inner, max_size=2),
    max_leaves=5,
)
OBJECTS = st.dictionaries(st.text("abc", min_size=1, max_size=2), JSON, min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("answer", "completion", "value"), [("4", "it is 4.", 1), ("4", "14", 0), ("C++", "use c++", 1), ("a b", "A  B", 1)]
)
def test_contains_whole_words(answer, completion, value):
    assert text.contains(answer, completion).value == value


@pytest.mark.parametrize(
    ("pattern", "answer", "completion", "value"),
    [
        (r"Answer: (\w+)", "Rome", "Answer: Oslo. No. Answer: ROME.", 1),
        (r"Answer: (\w+)", "Rome", "Rome", 0),
        (r"Answer: (\w+)", "Because so. Answer: Rome", "Answer: rome", 1),
        (r"Answer:(\w*)", "Rome", "Answer:", 0),
        (r"yes(x)?", "yes", "yes", None),
    ],
)
def test_regex(pattern, answer, completion, value):
    assert text.regex(answer, completion, Regex(pattern=pattern)).value == value


@pytest.mark.parametrize(
    ("answer", "completion", "value"),
    [
        ("42", "So 40 + 2 makes 42.", 1),
        ("42", "#### 42\nThat is 3 more than before.", 1),
        ("42", "42 #### none", 0),
        ("42", "#### 41 or 42", 0),
        ("6 times 7\n#### 42", "42 apples", 1),
        ("1,234.50 EUR", "It costs €1'234.5 today", 1),
        ("-5", "minus: \N{MINUS SIGN}5", 1),
        ("5", "-5", 0),
        ("5", "10-5", 1),
        ("3/4", "0.75", 1),
        ("3/4", "1/4", 0),
        ("1.5", "1 1/2 cups", 1),
        ("3", "3 million", 0),
        ("3,000,000", "3 million", 1),
        ("5", "5km in 2h, so 5 km", 1),
        ("0.3", "0.30000000000000001", 0),
        ("6", "10^6", 0),
        ("30", "10:30", 0),
        ("3", "version 1.2.3", 0),
        ("2", "H2O", 0),
        ("2", "none", 0),
        ("none", "2", None),
        ("3 of 5", "5", None),
        ("10:30", "10:30", None),
        ("1/0", "1/0", None),
    ],
)
def test_numeric(answer, completion, value):
    assert numeric(answer, completion, Numeric()).value == value


@pytest.mark.parametrize(
    ("knobs", "answer", "completion", "value"),
    [
        ({"tolerance": 0.01}, "0.3", "0.29", 1),
        ({"tolerance": 0.01}, "0.3", "0.289", 0),
        ({"relative_tolerance": 0.1}, "-200", "-180", 1),
        ({"relative_tolerance": 0.1}, "-200", "-179", 0),
        ({"decimal": "comma"}, "1234,5", "1.234,50", 1),
        ({"decimal": "comma"}, "1.234", "1234", 1),
        ({"marker": "\\boxed{"}, "7", "\\boxed{7} of 9", 1),
        ({"marker": ""}, "7", "#### 7, not 9", 0),
    ],
)
def test_numeric_knobs(knobs, answer, completion, value):
    assert numeric(answer, completion, Numeric(**knobs)).value == value


def test_a_number_of_any_size_is_compared_and_not_computed():
    for huge in ("1e999", "9" * 3000, "1e999 trillion trillion trillion"):
        assert numeric(huge, huge, Numeric()).value == 1
        assert numeric(huge, "1", Numeric(tolerance=5, relative_tolerance=0.5)).value == 0


STYLES = (
    "{0}", "{0:,}", "  {0:,}.", "The answer is {0}!", "= {0:,} dollars", "**{0}**", "First 7, then {0}", "x={0}",
    "{0:.3f}", "{0}km", "#### {0}\n3 steps", "so it is {0}%", "({0})",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(STYLES))
def test_a_number_is_right_in_every_style(number, style):
    said = style.format(number)
    assert numeric(str(number), said, Numeric()).value == 1
    assert numeric(str(number + Decimal("0.01")), said, Numeric()).value == 0


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789.,/:'^*eE+-$%# kmnbo\u00a0²½", max_size=40))
def test_any_text_has_an_end(said):
    assert all(number is None or number.is_finite() for number in numbers(said))
    assert numeric("7", said, Numeric()).value in (0, 1)
    assert numeric(said, "7", Numeric()).value in (0, 1, None)


@pytest.mark.parametrize(
    ("answer", "completion", "fields", "value"),
    [
        ('{"a": 1, "b": "x"}', 'Here: ```json\n{"b": " X.", "a": 1.0, "c": 0}\n```', None, 1),
        ('{"a": 1, "b": "x"}', '{"a": 1}', None, 0.5),
        ('{"a": 1, "b": "x"}', '{"a": 1}', ("a",), 1),
        ('{"a": 1}', '{"a": "1"}', None, 0),
        ('{"a": 1}', '{"a": true}', None, 0),
        ('{"a": null}', "{}", None, 0),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', None, 0),
        ('{"a": 0.3}', '{"a": 0.30}', None, 1),
        ('{"a": 1}', '{"a": 1, "a": 1}', None, 0),
        ('{"a": 1}', '{"a": 1} {"a": 1}', None, 0),
        ('{"b": 1}', '{"a": {"b": 1}, "c": ', None, 0),
        ('{"a": 1}', '{"a": NaN}', None, 0),
        ('{"a": 1}', "[1]", None, 0),
        ('{"a": 1}', "} nothing {", None, 0),
        ('{"a": 1}', '{"a":' * 5000 + "}" * 5000, None, 0),
        ('{"a": 1}', '{"a": 1e99999999999999999999}', None, 0),
        ('{"a": 1}', '{"a": 1}', ("a", "b"), None),
        ("{}", "{}", None, None),
        ("a: 1", '{"a": 1}', None, None),
    ],
)
def test_json_fields(answer, completion, fields, value):
    assert json_fields(answer, completion, JsonFields(fields=fields)).value == value


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(wanted, random):
    names = list(wanted)
    random.shuffle(names)
    shuffled = json.dumps({name: wanted[name] for name in names}, indent=random.choice([None, 2]))
    assert json_fields(json.dumps(wanted), shuffled, JsonFields()).value == 1
    lost = {name: wanted[name] for name in names[1:]}
    found = json_fields(json.dumps(wanted), json.dumps(lost), JsonFields()).value
    assert found == pytest.approx(1 - 1 / len(wanted))


@pytest.mark.parametrize(
    ("completion", "place"),
    [
        ("B", 1),
        ("(b).", 1),
        ("b) Rome", 1),
        ("B: Rome, of course", 1),
        ("rome.", 1),
        ("I think it is Rome", 1),
        ("The answer is (B).", 1),
        ("A) is wrong. The answer is **B** because it is", 1),
        ("I choose (B)", 1),
        ("The answer is Rome", 1),
        ("It lies in New York", 2),
        ("It lies in York", 3),
        ("B) Paris", None),
        ("A) Paris\nB) Rome\nC) New York\nD) York", None),
        ("Rome or Paris", None),
        ("New York or York", None),
        ("E", None),
        ("A city far away", None),
        ("Romeo", None),
        ("", None),
    ],
)
def test_an_option_is_read_from_the_completion(completion, place):
    assert multiple_choice.chosen(completion, CITIES) == place
    for right, answer in enumerate("ABCD"):
        assert multiple_choice.by_completion(answer, CITIES, completion).value == float(right == place)


@pytest.mark.parametrize(
    ("answer", "options", "says"),
    [
        ("Bern", CITIES, "names no option"),
        ("E", CITIES, "names no option"),
        ("A", ("B", "A"), "letter of one option and the text of another"),
        ("A", ("Rome", " rome."), "are the same"),
        ("A", ("Rome", ""), "blank"),
        ("A", ("Rome",), "has 1 options"),
        ("A", tuple(map(str, range(27))), "has 27 options"),
    ],
)
def test_an_item_whose_answer_is_no_option_is_unscored(answer, options, says):
    for found in (
        multiple_choice.by_completion(answer, options, "A"),
        multiple_choice.by_likelihood(answer, options, [-1.0] * len(options)),
    ):
        assert found.value is None
        assert says in found.unscored_reason


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-50, 0), min_size=4, max_size=4))
def test_the_likeliest_option_is_chosen_and_a_tie_is_wrong(logprobs):
    right = [multiple_choice.by_likelihood(answer, CITIES, logprobs).value for answer in CITIES]
    best = [float(x == max(logprobs)) for x in logprobs]
    assert right == (best if sum(best) == 1 else [0, 0, 0, 0])


@pytest.mark.parametrize("broken", [[], [-1.0, -2.0], [math.nan], [-math.inf], [0.5]])
def test_broken_likelihoods_are_no_score(broken):
    assert likelihood.response_loss(broken).value is None
    assert multiple_choice.by_likelihood("A", CITIES, [*broken, -1.0, -1.0, -1.0][: 3 + len(broken)]).value is None


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 700))
def test_response_loss_is_a_probability_that_falls_with_the_loss(loss):
    value = likelihood.response_loss([-loss]).value
    assert 0 < value <= 1
    assert -math.log(value) == pytest.approx(loss, abs=1e-9)
    assert likelihood.response_loss([-loss - 1]).value < value


def longest_common(a, b):
    """Length of the longest common subsequence, by its definition."""
    if not a or not b:
        return 0
    if a[0] == b[0]:
        return 1 + longest_common(a[1:], b[1:])
    return max(longest_common(a[1:], b), longest_common(a, b[1:]))


WORDS = st.lists(st.sampled_from(["cat", "dog", "дом", "ran"]), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(WORDS, WORDS)
def test_rouge_is_the_f1_of_the_longest_common_subsequence(answer, completion):
    pytest.importorskip("rouge_score")
    common = longest_common(answer, completion)
    found = rouge(" ".join(answer), ", ".join(completion).upper())
    assert found.value == pytest.approx(2 * common / (len(answer) + len(completion)))


def test_rouge_of_nothing():
    assert rouge("...", "a").value is None
    pytest.importorskip("rouge_score")
    assert rouge("a b", "").value == 0
    assert rouge("東京は", "東京").value == pytest.approx(0.8)
