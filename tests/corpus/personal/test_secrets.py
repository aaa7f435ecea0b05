import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.personal.find import find_pii
from safety_assets.corpus.personal.secrets import entropy

# cut in two, so that no scanner of repositories takes them for leaked
KNOWN = [
    ("AWS access key", "ASIA" + "Q3EGRIVXK7YFZ2AB"),
    ("GitHub token", "github" + "_pat_11ABCDEFG0" + "x7K9" * 8),
    ("GitLab token", "glpat" + "-x7K9x7K9x7K9x7K9x7K9"),
    ("Slack token", "xoxb" + "-123456789012-abcdefghij"),
    ("webhook", "https://hooks.slack" + ".com/services/T00000000/B00000000/" + "x7K9" * 6),
    ("Stripe key", "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    ("Google key", "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"),
    ("model service key", "hf" + "_" + "aB3d" * 9),
    ("package index token", "npm" + "_" + "aB3d" * 9),
    ("Twilio key", "SK" + "0123456789abcdef" * 2),
    ("cloud token", "dapi" + "0123456789abcdef" * 2),
    ("Telegram token", "123456789:A" + "aB3dE5" * 5 + "aB3d"),
    ("JSON web token", "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w5N"),
    ("private key", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\nlQOYBF\n-----END PGP " + "PRIVATE KEY BLOCK-----"),
]


@pytest.mark.parametrize(("name", "secret"), KNOWN)
def test_a_known_form_is_found_whole_and_named(name: str, secret: str) -> None:
    (span,) = find_pii(f"Use {secret} there")
    assert (span.kind, span.evidence.partition(":")[0]) == ("secret", name)
    assert (span.start, span.end) == (4, 4 + len(secret))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('api_key = "a8Fj29dkQpz71LmXc0Vb"', "a8Fj29dkQpz71LmXc0Vb"),
        ('{"client_secret": "4f3c2b1a0d9e8f7a6b5c4d3e2f1a0b9c"}', "4f3c2b1a0d9e8f7a6b5c4d3e2f1a0b9c"),
        ("Authorization: Bearer abcd3fghijk7mnopqrstuv1234", "abcd3fghijk7mnopqrstuv1234"),
        ("DB_PASSWORD=Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("the password: rT8$jLpZ.", "rT8$jLpZ"),
        ("postgres://bob:s3cr3tpw@db.example.org/shop", "s3cr3tpw"),
    ],
)
def test_a_value_beside_a_name_is_found(text: str, secret: str) -> None:
    found = [(span.kind, text[span.start : span.end]) for span in find_pii(text)]
    assert ("secret", secret) in found


@pytest.mark.parametrize(
    "text",
    [
        "api_key=YOUR_API_KEY_12345678",
        "token: bert-base-uncased-v2",
        "max_tokens=1024, tokenizer=gpt2-medium-10000",
        "secret_key = settings.SECRET_KEY_V2",
        'password = input("Password: ")',
        "password: correct horse battery staple",
        "postgres://user:password@localhost/db",
        "key: value, secret: none, the token is 12",
        "A key file begins with -----BEGIN PRIVATE KEY----- and goes on.",
        "commit 4f3c2b1a0d9e8f7a6b5c4d3e2f1a0b9c12345678",
    ],
)
def test_a_name_a_path_or_a_stand_in_is_no_secret(text: str) -> None:
    assert [span for span in find_pii(text) if span.kind == "secret"] == []


def test_a_private_key_that_was_cut_off_is_found_with_its_body_alone() -> None:
    body = "\n".join(["MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn" * 2] * 3)
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n\nWhat is wrong with it?"
    (span,) = find_pii(text)
    assert text[span.end :] == "\n\nWhat is wrong with it?"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(alphabet="0123456789abcdef", min_size=32, max_size=64).filter(lambda t: entropy(t) >= 3.0))
def test_a_random_hexadecimal_value_is_a_key_only_beside_such_a_name(value: str) -> None:
    if sum(map(str.isdigit, value)) < 2 or not any(map(str.isalpha, value)):
        return
    assert [s.kind for s in find_pii(f"access_key: {value}")] == ["secret"]
    assert [s.kind for s in find_pii(f"checksum: {value}")] == []


def test_entropy_counts_bits_per_character() -> None:
    assert (entropy(""), entropy("aaaa"), entropy("abab"), entropy("abcd")) == (0, 0, 1, 2)
