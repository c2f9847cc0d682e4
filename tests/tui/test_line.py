from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Container

from opdash.tui.widgets.line import Line, Span, cut, join, spread, width_of

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


class Ground(App[None]):
    """One line on a ground of its own."""

    def compose(self) -> ComposeResult:
        with Container():
            yield Line()


def painted(line: Line) -> tuple[str, str]:
    """Return what a line says, and the colour behind it."""
    (strip,) = line.render_lines(line.size.region)
    (ground,) = {str(one.style.bgcolor.name) for one in strip if one.style and one.style.bgcolor}
    return strip.text.strip(), ground


async def test_lines_that_are_kept_are_never_stale() -> None:
    app = Ground()
    async with app.run_test(size=(20, 3)) as pilot:
        line = app.query_one(Line)
        line.styles.height = 1
        line.show([Span("one")])
        await pilot.pause()
        first = line.render_lines(line.size.region)
        assert line.render_lines(line.size.region) is first
        line.show([Span("two")])
        assert painted(line)[0] == "two"
        app.query_one(Container).styles.background = Color.parse("#102030")
        await pilot.pause()
        assert painted(line) == ("two", "#102030")
        await pilot.resize_terminal(12, 3)
        await pilot.pause()
        assert line.render_lines(line.size.region)[0].cell_length == 12
