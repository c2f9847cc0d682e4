from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opdash.safetext import safe_text
from opdash.service.drafts import ExpiryError, check_expiry
from opdash.tui.typed import (
    Expiry,
    ValueTypeError,
    kind_of,
    parse_instant,
    parse_value,
    preset_expiry,
    visible_json,
)

BERLIN = ZoneInfo("Europe/Berlin")
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(instants, st.sampled_from([Expiry.HOUR, Expiry.DAY, Expiry.WEEK, Expiry.MONTH]))
def test_a_preset_is_accepted_even_by_a_server_whose_clock_lags_a_minute(
    now: datetime, preset: Expiry
) -> None:
    expiry = preset_expiry(preset, now)
    check_expiry(expiry, now)
    check_expiry(expiry, now - timedelta(seconds=55))
    assert (expiry.second, expiry.microsecond) == (0, 0)


@given(instants)
def test_a_span_is_never_shorter_than_it_says(now: datetime) -> None:
    assert preset_expiry(Expiry.HOUR, now) >= now + timedelta(hours=1)
    assert preset_expiry(Expiry.WEEK, now) - now < timedelta(days=7, minutes=1)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-22 14:02", datetime(2026, 11, 22, 13, 2, tzinfo=UTC)),
        (" 2026-07-01T9:30 ", datetime(2026, 7, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_in_the_zone_it_is_meant_in(typed: str, expected: datetime) -> None:
    assert parse_instant(typed, BERLIN) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "tomorrow",
        "22.11.2026",
        "2026-13-01 10:00",
        "2026-02-30 10:00",
        "2026-11-22 24:00",
        "2026-11-22",
        "2026-11-22 14:02:00",
        "0000-01-01 00:00",
        "9999-12-31 23:59 ",
        "2027-03-28 02:30",
    ],
)
def test_what_is_no_date_gets_a_sentence(typed: str) -> None:
    zone = ZoneInfo("Europe/Berlin") if typed != "9999-12-31 23:59 " else ZoneInfo("Etc/GMT+12")
    with pytest.raises(ExpiryError) as caught:
        parse_instant(typed, zone)
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice.endswith(".")


def test_this_machines_zone_is_the_default() -> None:
    typed = "2026-06-15 12:00"
    local = parse_instant(typed).astimezone()
    assert local.strftime("%Y-%m-%d %H:%M") == typed


@given(st.text().filter(lambda text: not text.startswith("=")))
def test_a_value_without_a_sign_is_the_text_itself(text: str) -> None:
    assert parse_value(text) == text
    assert kind_of(text) == "text"


@given(json_values)
def test_a_value_after_the_sign_is_exactly_that_json(value: object) -> None:
    assert parse_value("=" + json.dumps(value)) == value
    assert parse_value("= " + json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("4711", "text"),
        ("007", "text"),
        ("", "text"),
        ("=4711", "number"),
        ("=true", "true/false"),
        ("=null", "null"),
        ('=["a"]', "list"),
        ('={"a":1}', "object"),
        ('="=1"', "text"),
    ],
)
def test_the_kind_of_a_value_is_told(typed: str, kind: str) -> None:
    assert kind_of(typed) == kind


@pytest.mark.parametrize(
    "typed",
    [
        "=",
        "=  ",
        "=abc",
        "=1.0",
        "=1e3",
        "=NaN",
        "=9007199254740993",
        "=" + "9" * 5000,
        '={"a":1,"a":2}',
        '="\\ud800"',
        "=" + "[" * 100_000,
        "=007",
    ],
)
def test_what_servers_would_read_differently_is_refused(typed: str) -> None:
    with pytest.raises(ValueTypeError) as caught:
        parse_value(typed)
    assert caught.value.sentence.endswith(".")
    assert len(caught.value.sentence) < 120


@given(st.text())
@example("\u0300" * 3)
@example("👩\u200d🔬 \U000e0001")
def test_visible_json_hides_nothing_and_means_the_same(text: str) -> None:
    document = json.dumps({text: text}, ensure_ascii=False, indent=2)
    shown = visible_json(document)
    assert all(line == safe_text(line) for line in shown.split("\n"))
    assert json.loads(shown) == {text: text}
