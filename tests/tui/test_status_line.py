from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.tui.widgets.line import width_of
from opdash.tui.widgets.status_line import Whereabouts, status_spans

THIRD_PAGE = Whereabouts(known=5000, complete=False, page=2, page_size=20, sort=NEWEST_FIRST)

SCOPED = replace(THIRD_PAGE, scope="created by opdash only", short_scope="own only")


def said(where: Whereabouts, width: int = 120) -> str:
    return "".join(span.text for span in status_spans(where, width)).strip()


def test_the_page_is_told_as_the_server_pages() -> None:
    assert said(THIRD_PAGE) == "rows 41–60 of 5,000 known · page 3 of 250 · the server has more"


def test_a_list_that_is_known_whole_says_nothing_of_more() -> None:
    whole = replace(THIRD_PAGE, known=45, complete=True)
    assert said(whole) == "rows 41–45 of 45 · page 3 of 3"


def test_an_order_ranges_over_what_is_known() -> None:
    text = said(replace(THIRD_PAGE, sort=Sort(SortColumn.ASKED, descending=True)))
    assert text.startswith("by Asked, largest first")
    assert "of 5,000 known" in text


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (replace(THIRD_PAGE, fetching=True), "fetching older payments…"),
        (replace(THIRD_PAGE, new_above=3), "↑ 3 new above"),
        (replace(THIRD_PAGE, following=True), "following the newest"),
        (replace(THIRD_PAGE, scope="created by opdash only"), "S created by opdash only"),
    ],
)
def test_news_stand_at_the_left(where: Whereabouts, text: str) -> None:
    assert said(where).startswith(text)


def test_a_narrow_screen_says_the_same_in_fewer_words() -> None:
    where = replace(SCOPED, following=True)
    assert said(where, 86).startswith("S created by opdash only   41–60 of 5,000 known · page 3")
    assert said(where, 86).endswith("· more at the server")
    assert said(where, 80).startswith("S created by opdash only")
    assert said(where, 80).endswith("41–60 of 5,000 known · page 3 of 250 · more")
    news = replace(where, fetching=True)
    assert said(news, 60) == "S own only  fetching older payments…  page 3 of 250 · more"


@given(
    st.integers(40, 200),
    st.booleans(),
    st.integers(0, 10**6),
    st.sampled_from(["", "reading 12,400 of 1,000,000"]),
    st.sampled_from([NEWEST_FIRST, Sort(SortColumn.REFERENCE)]),
)
def test_the_scope_and_its_key_are_always_there(
    width: int, fetching: bool, new_above: int, reading: str, sort: Sort
) -> None:
    where = replace(SCOPED, fetching=fetching, new_above=new_above, reading=reading, sort=sort)
    spans = status_spans(where, width)
    assert width_of(spans) <= width
    assert "S own only" in said(where, width) or "S created by opdash only" in said(where, width)
    assert "screen.scope" in {span.action for span in spans}


@given(
    st.integers(0, 10**7),
    st.booleans(),
    st.sampled_from([20, 50, 100]),
    st.integers(0, 10**6),
    st.integers(0, 200),
)
def test_it_keeps_to_its_width(
    known: int, complete: bool, size: int, new_above: int, width: int
) -> None:
    where = Whereabouts(known, complete, 0, size, NEWEST_FIRST, new_above=new_above)
    assert width_of(status_spans(where, width)) <= width
