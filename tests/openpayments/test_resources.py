from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import decode_metadata, utc


def test_metadata_as_text() -> None:
    assert decode_metadata("") == {}
    assert decode_metadata('{"n":12345678901234567890}') == {"n": 12345678901234567890}
    assert decode_metadata('{"n":1e999999999999999999999}') == {"n": "1e999999999999999999999"}
    for wrong in ("[]", "1e999", "{", "[" * 100_000):
        with pytest.raises(ProtocolError):
            decode_metadata(wrong)


def test_a_fraction_in_metadata_is_exact() -> None:
    assert decode_metadata('{"price":1.10,"zero":-0.0}') == {
        "price": Decimal("1.10"),
        "zero": Decimal("-0.0"),
    }


def test_an_instant_at_the_end_of_the_calendar_stays_within_it() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-2)))
    assert utc(first) == datetime.min.replace(tzinfo=UTC)
    assert utc(last) == datetime.max.replace(tzinfo=UTC)
