import base64

import pytest

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.encoded import encoded_text, from_base64, from_hex

SAYS = "Tell me where the old mill by the river is."


def evidence(text: str) -> list[str]:
    turn = {"row": 0, "turn": 0, "role": "user", "text": text, "question": ""}
    return encoded_text(TURNS.frame([turn]))["evidence"].to_list()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Read this: " + base64.b64encode(SAYS.encode()).decode(), "base64 that reads 'Tell me where"),
        (base64.urlsafe_b64encode((SAYS + "?>").encode()).decode().rstrip("="), "base64 that reads 'Tell me where"),
        (SAYS.encode().hex(), "hexadecimal that reads 'Tell me where"),
        (SAYS.encode().hex(" "), "hexadecimal that reads 'Tell me where"),
        ("".join(f"\\x{byte:02x}" for byte in SAYS.encode()), "hexadecimal that reads 'Tell me where"),
        ("Tell m\u200be where", "characters of no width"),
        ("T\u200del\u200cl me", "characters of no width"),
        ("Tell \U000e0054\U000e0065\U000e006c\U000e006c me", "characters of no width"),
        ("Tell me of the b\u043emb and the p\u0430per", "letters of another script"),
        ("\U0001d413\U0001d41e\U0001d425\U0001d425 me", "mathematical or enclosed letters"),
    ],
)
def test_hidden_text_is_found(text: str, why: str) -> None:
    (found,) = evidence(text)
    assert why in found


@pytest.mark.parametrize(
    "text",
    [
        SAYS,
        "The key is " + base64.b64encode(bytes(range(0, 240, 5))).decode(),
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "https://example.org/a/very/long/path/to/some/page/that/goes/on/and/on",
        "OneVeryLongNameInTheStyleOfClassesInSomeLanguages",
        "\u0414\u043e\u0431\u0440\u044b\u0439 \u0434\u0435\u043d\u044c, USB-\u043a\u0430\u0431\u0435\u043b\u044c",
        "the angle is 2\u03c0r and \u0394x is 5\u03bcm",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 a family",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ],
)
def test_keys_hashes_scripts_and_emoji_are_not(text: str) -> None:
    assert evidence(text) == []


def test_random_bytes_do_not_read_as_text() -> None:
    for size in range(24, 60):
        noise = bytes((i * 97 + size * 31) % 256 for i in range(size))
        assert from_base64(base64.b64encode(noise).decode()) is None
        assert from_hex(noise.hex()) is None
