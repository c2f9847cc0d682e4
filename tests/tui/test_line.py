from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opdash.tui.widgets.line import Span, cut, join, spread, width_of

TEXTS = st.text(st.sampled_from("ab 花🛠é·"), max_size=12)
SPANS = st.lists(TEXTS.map(Span), max_size=6)


def said(spans: list[Span]) -> str:
    return "".join(span.text for span in spans)


def test_what_does_not_fit_is_cut_visibly() -> None:
    assert said(cut([Span("Rosa's"), Span(" Shop")], 11)) == "Rosa's Shop"
    assert said(cut([Span("Rosa's"), Span(" Shop")], 10)) == "Rosa's Sh…"
    assert said(cut([Span("花瓶花瓶")], 4)) == "花…"
    assert cut([Span("abc")], 0) == []


@given(SPANS, st.integers(0, 40))
def test_a_cut_never_takes_more_than_it_may(spans: list[Span], width: int) -> None:
    assert width_of(cut(spans, width)) <= width


def test_both_ends_of_a_line_are_kept_apart() -> None:
    assert said(spread([Span("left")], [Span("right")], 12)) == "left   right"
    assert said(spread([Span("leftish")], [Span("right")], 12)) == "lefti… right"


def test_empty_groups_take_no_room() -> None:
    groups = [[Span("a")], [], [Span("b"), Span("c")]]
    assert said(join(groups, " | ")) == "a | bc"
