from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from opdash.errors import LedgerError
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort, SortColumn
from opdash.openpayments.amounts import MAX_VALUE
from opdash.table_view import STANDARD, Column
from opdash.tui.stylesheets import sheets
from opdash.tui.themes import DARK
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.row_window import LedgerRows, RowSource
from tests.tui.doubles import NOW, USD, World, make_payment, many_payments, payment_id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


class TableApp(App[None]):
    """Nothing but the table."""

    CSS_PATH = sheets("base", "widgets", "payments")

    def __init__(self, world: World, source: RowSource | None = None) -> None:
        super().__init__()
        rows = source or LedgerRows(world.reader, world.wallet.id)
        self.table = PaymentTable(rows, USD, world.session.now, page_size=20)
        self.heard: list[Any] = []
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.reload()

    def on_payment_table_end_passed(self, message: PaymentTable.EndPassed) -> None:
        self.heard.append(message)

    def on_payment_table_opened(self, message: PaymentTable.Opened) -> None:
        self.heard.append(message)

    def on_payment_table_read_failed(self, message: PaymentTable.ReadFailed) -> None:
        self.heard.append(message)

    def lines(self) -> list[str]:
        """Return what the table shows, line by line."""
        self.table.render_lines(self.table.size.region)
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


def selected(app: TableApp) -> str:
    row = app.table.selected
    assert row is not None
    return row.id


def follows(app: TableApp) -> bool:
    return app.table.following


def cursor_line(app: TableApp) -> int:
    """Return the line of the screen on which the cursor stands."""
    return app.table.cursor - app.table.top


async def test_rows_stand_newest_first_with_their_amounts_below_each_other(world: World) -> None:
    world.record(
        make_payment(1, asked=25000, received=12000, reference="INV-1", ago=timedelta(minutes=5)),
        make_payment(2, asked=1999, received=1999, completed=True, reference="INV-2"),
    )
    app = TableApp(world)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        head, first, second, *_ = app.lines()
    assert head.split() == ["State", "Asked", "Received", "Reference", "Created", "▼", "Expires"]
    assert first.startswith("▌  ◐ PARTIAL")
    assert first.index("250.00") == second.index("19.99") - 1
    assert "INV-1" in first
    assert "today 14:02" in first
    assert "in 2 d" in first


async def test_wide_characters_do_not_shift_the_columns(world: World) -> None:
    world.record(
        make_payment(1, reference="花瓶と本と花瓶と本", ago=timedelta(minutes=1)),
        make_payment(2, reference="lamp 🛠 repair ok", ago=timedelta(minutes=2)),
        make_payment(3, reference="e\u0301\u0301\u0301\u0301a \x1b[31m", ago=timedelta(minutes=3)),
        make_payment(4, reference="plain", ago=timedelta(minutes=4)),
    )
    app = TableApp(world)
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        app.lines()
        strips = [app.table.render_line(y) for y in range(1, 5)]
    assert {strip.cell_length for strip in strips} == {80}
    cut = [strip.crop(strip.cell_length - 23, strip.cell_length).text for strip in strips]
    assert all(text.strip().startswith("today 14:0") for text in cut)
    assert "\x1b" not in "".join(strip.text for strip in strips)


async def test_the_cursor_keeps_its_payment_and_its_line_when_rows_arrive(world: World) -> None:
    world.record(*many_payments(60))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.table.move(7)
        await pilot.pause()
        before, line = selected(app), cursor_line(app)
        world.record(*(make_payment(number, ago=timedelta(minutes=number)) for number in (1, 2, 3)))
        app.table.reload()
        await pilot.pause()
        assert selected(app) == before
        assert cursor_line(app) == line
        assert app.table.new_above == 3
        app.table.go_first()
        await pilot.pause()
        assert app.table.new_above == 0
        assert selected(app) == payment_id(1)


async def test_it_follows_the_newest_until_a_person_moves(world: World) -> None:
    world.record(*many_payments(30))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        assert follows(app)
        world.record(make_payment(1, ago=timedelta(minutes=9)))
        app.table.reload()
        assert selected(app) == payment_id(1)
        app.table.move(1)
        app.table.move(-1)
        assert not follows(app)
        world.record(make_payment(2, ago=timedelta(minutes=8)))
        app.table.reload()
        await pilot.pause()
        assert selected(app) == payment_id(1)
        assert cursor_line(app) == 0


async def test_a_row_that_is_opened_is_held(world: World) -> None:
    world.record(*many_payments(3))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        held = selected(app)
        app.table.hold()
        world.record(make_payment(1))
        app.table.reload()
        assert selected(app) == held


@pytest.mark.parametrize("column", STANDARD, ids=str)
async def test_every_order_keeps_the_selected_payment(world: World, column: Column) -> None:
    world.record(*many_payments(60))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.table.move(33)
        before = selected(app)
        for _ in range(2):
            app.table.sort_by(column)
            await pilot.pause()
            assert selected(app) == before
            row = world.reader.window(world.wallet.id, app.table.sort, app.table.cursor, 1)[0]
            assert row.id == before
            assert 0 <= cursor_line(app) < app.table.height_in_rows


async def test_pages_are_walked_to_the_last_known_and_no_further(world: World) -> None:
    world.record(*many_payments(45))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        table = app.table
        table.next_page()
        assert (table.page, table.pages, table.cursor) == (1, 3, 20)
        await pilot.pause()
        assert table.top == 20
        table.next_page()
        assert (table.page, table.cursor) == (2, 40)
        table.next_page()
        await pilot.pause()
        assert (table.page, len(app.heard)) == (2, 1)
        table.previous_page()
        assert (table.page, table.cursor) == (1, 20)
        table.go_last()
        assert table.cursor == 44
        table.move(1)
        await pilot.pause()
        assert (table.cursor, len(app.heard)) == (44, 2)
        table.move_screen(-1)
        assert table.cursor < 44
        table.page_size = 100
        assert (table.page, table.pages) == (0, 1)


async def test_marks_stay_until_the_cursor_was_there(world: World) -> None:
    world.record(*many_payments(5))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.table.move(1)
        app.table.mark([payment_id(1001), payment_id(1003)])
        assert app.table.marks == {payment_id(1003)}
        await pilot.pause()
        assert [line[:2] for line in app.lines()[1:6]] == ["  ", "▌ ", "  ", " •", "  "]
        app.table.move(2)
        assert app.table.marks == frozenset()


async def test_time_alone_repaints_only_what_reads_differently(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record(
        make_payment(1, expires_in=timedelta(seconds=40), ago=timedelta(minutes=1)),
        make_payment(2, expires_in=timedelta(days=3, hours=1), ago=timedelta(minutes=2)),
    )
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.lines()
        refreshed: list[int] = []
        monkeypatch.setattr(
            app.table, "refresh", lambda *regions: refreshed.extend(part.y for part in regions)
        )
        app.table.tick()
        assert refreshed == []
        world.clock.instant = NOW + timedelta(seconds=1)
        app.table.tick()
        assert refreshed == [1]


async def test_the_mouse_selects_opens_and_sorts(world: World) -> None:
    world.record(*many_payments(30))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        await pilot.click(PaymentTable, offset=(10, 4))
        assert selected(app) == payment_id(1003)
        assert app.heard == []
        await pilot.click(PaymentTable, offset=(10, 4))
        await pilot.pause()
        assert [message.row.id for message in app.heard] == [payment_id(1003)]
        await pilot.click(PaymentTable, offset=(25, 0))
        assert app.table.sort == Sort(SortColumn.ASKED, descending=True)
        assert selected(app) == payment_id(1003)


async def test_the_wheel_scrolls_and_ends_following(world: World) -> None:
    world.record(*many_payments(60))
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.table.scroll_down(animate=False)
        await pilot.pause()
        assert app.table.top == 1
        assert not app.table.following
        assert app.table.cursor == 0


class CountingRows:
    """A million rows that nobody stores."""

    def __init__(self, template: PaymentRow) -> None:
        self.asked_for: list[tuple[int, int]] = []
        self._template = template

    def count(self, sort: Sort) -> int:
        return 1_000_000

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        import msgspec

        self.asked_for.append((offset, limit))
        return tuple(
            msgspec.structs.replace(self._template, id=payment_id(offset + number))
            for number in range(limit)
        )

    def position(self, sort: Sort, payment_id: str) -> int | None:
        return int(payment_id[-12:], 16)


async def test_a_million_rows_are_read_only_where_they_are_looked_at(world: World) -> None:
    world.record(make_payment(1))
    rows = CountingRows(world.reader.window(world.wallet.id, NEWEST_FIRST, 0, 1)[0])
    app = TableApp(world, rows)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        app.table.go_last()
        await pilot.pause()
        app.table.move(-500_000)
        await pilot.pause()
        assert app.table.cursor == 499_999
        assert selected(app) == payment_id(499_999)
    assert sum(limit for _, limit in rows.asked_for) < 1_000


class FailingRows(CountingRows):
    def window(self, sort: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        raise LedgerError("The ledger cannot be read.", "Check the disk.")


async def test_rows_that_cannot_be_read_end_in_a_sentence(world: World) -> None:
    world.record(make_payment(1))
    rows = FailingRows(world.reader.window(world.wallet.id, NEWEST_FIRST, 0, 1)[0])
    app = TableApp(world, rows)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        sentences = {message.sentence for message in app.heard}
    assert sentences == {"The ledger cannot be read. Check the disk."}


async def test_a_huge_amount_is_never_shortened_silently(world: World) -> None:
    world.record(make_payment(1, asked=MAX_VALUE), make_payment(2, asked=1999))
    narrow = TableApp(world)
    async with narrow.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        assert "×10¹⁷" in "".join(narrow.lines())
    wide = TableApp(world)
    async with wide.run_test(size=(140, 12)) as pilot:
        await pilot.pause()
        assert "184,467,440,737,095,516.15" in "".join(wide.lines())
