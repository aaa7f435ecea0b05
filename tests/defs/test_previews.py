"""What Dagster keeps of a table in its history: nothing that the audit would mask or drop."""

from pathlib import Path

import polars as pl
import pytest

from safety_assets.defs.metadata import WIDE, path_value, preview
from safety_assets.records import MESSAGES

SECRETS = (
    "ann.lee@mail.example",
    "4111 1111 1111 1111",
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "Keep it: ", "so long a sentence that it is cut: "])
def test_a_preview_of_chats_shows_no_secret(secret: str, before: str) -> None:
    chat = [{"role": "user", "content": f"{before}{secret} is mine."}]
    frame = pl.DataFrame({"row_id": ["0f3c9a41d2b7e860"], "messages": pl.Series([chat], dtype=MESSAGES)})
    shown = preview(frame, 1)
    assert secret[:14] not in shown
    assert "0f3c9a41d2b7e860" in shown


def test_a_long_path_is_shown_in_lines_that_fit_and_nothing_of_it_is_lost() -> None:
    path = Path("/srv/store/objects") / ("0123456789abcdef" * 4) / "evidence.html"
    lines = path_value(path).value.replace("`", "").split("  \n")
    assert "".join(lines) == str(path)
    assert max(map(len, lines)) <= WIDE
    assert path_value(Path("/srv/store")).value == "/srv/store"
