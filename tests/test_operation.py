"""What may stand under `operation`, and what is refused with a reason."""

import pytest
from pydantic import ValidationError

from safety_assets.operation import Operation


def test_nothing_runs_by_itself_unless_somebody_says_so() -> None:
    assert Operation().turned_on is False


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"recheck": "every night"}, "no cron line"),
        ({"alerts": {"on_call": [{"to": "email", "address": "a@b.c"}]}}, "needs smtp"),
        ({"alerts": {"on_call": [{"to": "slack"}]}}, "one of url and url_from"),
        ({"alerts": {"on_call": [{"to": "slack", "url": "http://a", "url_from": "A"}]}}, "one of url and url_from"),
        ({"alerts": {"on_call": [{"to": "pigeon"}]}}, "pigeon"),
        ({"alerts": {"smtp": {"host": "a", "sender": "a@b.c", "password": "x"}}}, "password"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Operation.model_validate(given)
