"""Dates as people write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.books.dates import DateError, DateOrder, guess_order, parse_date

DMY, MDY = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-10-12", DMY, date(2026, 10, 12)),
        ("2026/1/2", MDY, date(2026, 1, 2)),
        ("20261012", DMY, date(2026, 10, 12)),
        ("12.10.2026", DMY, date(2026, 10, 12)),
        ("12. 10. 2026", DMY, date(2026, 10, 12)),
        ("10/12/26", MDY, date(2026, 10, 12)),
        ("2026-10-12T23:59:59Z", DMY, date(2026, 10, 12)),
        (" 2026-10-12 08:15 ", DMY, date(2026, 10, 12)),
        ("12.10.2026 08:15", DMY, date(2026, 10, 12)),
    ],
)
def test_what_people_write(text: str, order: DateOrder, day: date) -> None:
    assert parse_date(text, order) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "31.02.2026",
        "1.1.202",
        "1.1.1",
        "12-10.2026",
        "2026-10-12 and more",
        "2026-10-2026",
        "0000-01-01",
        "٢٠٢٦-١٠-١٢",
        "2026-10-12\n2026-10-13",
        "46003",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(DateError, match="is no date"):
        parse_date(text, DMY)


_DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
_SEPARATORS = st.sampled_from(["-", ".", "/"])


@given(_DAYS, _SEPARATORS, st.sampled_from(["", " 00:00", "T10:00:00+02:00"]))
def test_every_way_of_writing_round_trips(day: date, separator: str, time: str) -> None:
    ways = {
        separator.join([f"{day:%Y}", f"{day:%m}", f"{day:%d}"]): (DMY, MDY),
        separator.join([f"{day:%d}", f"{day:%m}", f"{day:%Y}"]): (DMY,),
        separator.join([str(day.day), str(day.month), f"{day:%y}"]): (DMY,),
        separator.join([f"{day:%m}", f"{day:%d}", f"{day:%Y}"]): (MDY,),
    }
    for text, orders in ways.items():
        for order in orders:
            assert parse_date(text + time, order) == day


@pytest.mark.parametrize(
    ("texts", "orders"),
    [
        (["2026-10-12"], (DMY,)),
        (["13.10.2026", "01.02.2026"], (DMY,)),
        (["10/13/2026", "01/02/2026"], (MDY,)),
        (["01/02/2026"], (DMY, MDY)),
        (["02/02/2026"], (DMY,)),
        (["soon", ""], (DMY,)),
        ([], (DMY,)),
    ],
)
def test_the_order_of_a_column(texts: list[str], orders: tuple[DateOrder, ...]) -> None:
    assert guess_order(texts) == orders
