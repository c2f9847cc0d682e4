"""The file of invoices: which one, what is guessed of it, and how a person says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from textual.widgets import Input

from opdash.books.desk import Desk
from opdash.books.last_files import LastFile, keep_last_file
from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.settings import Profile, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.invoices import InvoicesScreen, WalletChoice
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.pick import PickScreen
from opdash.tui.screens.review import ReviewScreen
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.row_list import RowList
from tests.tui.book_doubles import HEADER, ROWS, Merchant, confirmed, desk, write_file
from tests.tui.doubles import FakeSession, World, shop_payments

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


@asynccontextmanager
async def opened(world: World, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Merchant]:
    """Press B on the payments."""
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        rosa = Merchant(world, app, pilot)
        await rosa.press("B")
        await rosa.on(InvoicesScreen)
        yield rosa


async def name_file(rosa: Merchant, path: Path | str) -> None:
    typed = rosa.app.screen.query_one("#file Input", Input)
    typed.value = str(path)
    typed.focus()
    await rosa.press("enter")


def said(rosa: Merchant) -> str:
    field = rosa.app.screen.query_one("#file", FormField)
    return f"{field.note.sentence}\n{rosa.app.screen.query_one('#outcome', NoteLine).sentence}"


async def test_a_file_is_read_its_guess_is_shown_and_enter_goes_on(world: World) -> None:
    path = write_file(world)
    async with opened(world) as rosa:
        assert "~ is your home directory" in said(rosa)
        await name_file(rosa, path)
        assert "9 rows · columns guessed" in said(rosa)
        assert "9 invoices can be read." in said(rosa)
        for name, *words in (
            ("number", "Rechnungsnr", "INV-2026-0412 · INV-2026-0411 · 花瓶と本"),
            ("amount", "Betrag", "250,00 · 20,00 · 80,00"),
            ("currency", "– none –", "all in USD"),
            ("customer", "Kunde", "Ada Okafor"),
            ("decimal mark", "comma, guessed", "1.000,00 is 1,000.00 USD"),
            ("dates", "days first, guessed", "20.11.2026 is 20 Nov 2026"),
            ("delimiter", "semicolon “;”, guessed", "5 columns"),
            ("encoding", "utf-8, guessed"),
        ):
            assert all(word in rosa.row(name) for word in words), rosa.row(name)
        await rosa.press("enter")
        await rosa.on(ReviewScreen)


async def test_the_last_file_is_offered_and_what_was_confirmed_is_remembered(world: World) -> None:
    path = write_file(world)
    async with opened(world) as rosa:
        await name_file(rosa, path)
        await rosa.press("enter", "escape")
        await rosa.on(PaymentsScreen)
        await rosa.press("B")
        assert rosa.app.screen.query_one("#file Input", Input).value == str(path)
        assert "columns read as you said before" in said(rosa)
        await rosa.press("enter")
        await rosa.on(ReviewScreen)


async def test_a_tilde_is_the_home_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_file(world)
    monkeypatch.setenv("HOME", str(path.parent))
    async with opened(world) as rosa:
        await name_file(rosa, "~/invoices.csv")
        assert "9 invoices can be read." in said(rosa)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "has no rows."),
        (b"Invoice,Amount\n", "has a header and no rows."),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is not a text file."),
        (b'Invoice,Amount\nINV-1,"1.00\n', "row 2, cannot be read"),
        (b'{"number": 1\n', "row 1, is no JSON object."),
    ],
    ids=["missing", "empty", "header-only", "binary", "open-quote", "json"],
)
async def test_a_file_that_cannot_be_used_is_told_with_its_row(
    world: World, content: bytes | None, words: str
) -> None:
    path = world.dashboard.data_dir / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert words in said(rosa)
        assert isinstance(rosa.app.focused, Input)
        assert rosa.rows == []


async def test_no_file_at_all(world: World) -> None:
    async with opened(world) as rosa:
        await rosa.press("enter")
        assert "Type where the file is." in said(rosa)
        await rosa.press("escape")
        await rosa.on(PaymentsScreen)


async def test_broken_rows_are_told_with_row_and_column_and_left_out_only_when_asked(
    world: World,
) -> None:
    broken = [f"X-{n};20.11.2026;oops;;04.12.2026" for n in range(4)]
    path = write_file(world, *ROWS, *broken, "X-9;40.13.2026;1,00;;")
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "row 11, column Betrag: “oops” is no amount." in said(rosa)
        assert "… and 2 more" in said(rosa)
        await rosa.press("enter")
        assert "Enter once more goes on without 5 rows." in said(rosa)
        await rosa.press("enter")
        await rosa.on(ReviewScreen)
        await rosa.settle()
        assert len(rosa.rows) == 9
        assert "▲ 5 rows left out" in rosa.line("status")


async def test_a_column_is_changed_with_the_arrows(world: World) -> None:
    path = write_file(world)
    async with opened(world) as rosa:
        await name_file(rosa, path)
        await rosa.select("customer")
        await rosa.press("right")
        assert "Fällig" in rosa.row("customer")
        assert "– none –" in rosa.row("due")
        await rosa.press("left")
        assert "Kunde" in rosa.row("customer")
        await rosa.press("ctrl+r")
        assert "Fällig" in rosa.row("due")


async def test_a_column_is_chosen_from_a_list_and_remembered(world: World) -> None:
    path = write_file(world, "A-1;12,00", header="Foo;Bar")
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "needed: choose one" in rosa.row("number")
        assert "No column can be taken for: number, amount." in said(rosa)
        await rosa.press("enter")
        assert rosa.selected == "number"
        await rosa.press("space")
        await rosa.on(PickScreen)
        await rosa.write("foo")
        await rosa.press("enter")
        await rosa.select("amount")
        await rosa.press("space")
        await rosa.write("bar")
        await rosa.press("enter")
        assert "1 invoice can be read." in said(rosa)
        await rosa.press("enter")
        await rosa.on(ReviewScreen)
        await rosa.press("escape", "B")
        assert "Bar" in rosa.row("amount")
        assert "read as you said before" in said(rosa)


async def test_amounts_in_two_readings_are_asked_for(world: World) -> None:
    path = write_file(world, "A-1;1.234", "A-2;12,345", header="Invoice;Amount")
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "choose one" in rosa.row("decimal mark")
        assert "a decimal point and with a decimal comma" in said(rosa)
        await rosa.press("enter")
        assert rosa.selected == "decimal mark"
        await rosa.press("right", "right")
        assert "comma" in rosa.row("decimal mark")


async def test_the_order_of_dates_is_changed(world: World) -> None:
    path = write_file(world, "A-1;03/04/2026;12,00;;", header=HEADER)
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "days first, assumed" in rosa.row("dates")
        assert "is 3 Apr 2026" in rosa.row("dates")
        await rosa.select("dates")
        await rosa.press("left")
        assert "months first" in rosa.row("dates")
        assert "is 4 Mar 2026" in rosa.row("dates")


async def test_delimiter_and_encoding_are_changed_and_remembered_with_the_file(
    world: World,
) -> None:
    path = world.dashboard.data_dir / "old.csv"
    path.write_bytes("Invoice;Amount;Customer\nA-1;12,00;Märta\n".encode("cp1252"))
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "windows-1252, guessed" in rosa.row("encoding")
        await rosa.select("encoding")
        await rosa.press("space")
        await rosa.write("iso")
        await rosa.press("enter")
        assert "iso-8859-15" in rosa.row("encoding")
        assert "guessed" not in rosa.row("encoding")
        await rosa.select("delimiter")
        await rosa.press("right", "right")
        assert "comma “,”" in rosa.row("delimiter")
        await rosa.press("left")
        assert "3 columns" in rosa.row("delimiter")
        await rosa.press("enter")
        await rosa.on(ReviewScreen)
        await rosa.press("escape", "B")
        assert "iso-8859-15" in rosa.row("encoding")


async def test_json_lines_have_no_delimiter(world: World) -> None:
    path = world.dashboard.data_dir / "invoices.jsonl"
    path.write_text('{"number": "A-1", "amount": 12.5}\n')
    async with opened(world) as rosa:
        await name_file(rosa, path)
        await rosa.select("delimiter")
        await rosa.press("right")
        assert "JSON Lines" in rosa.row("delimiter")
        assert "1 invoice can be read." in said(rosa)


async def test_a_file_without_a_header_is_said_to_be_one(world: World) -> None:
    path = write_file(world, "A-2;13,00", header="A-1;12,00")
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert "2 rows · no header" in said(rosa)
        assert "needed: choose one" in rosa.row("amount")


async def test_a_file_of_before_that_is_gone_is_told_at_once(world: World) -> None:
    keep_last_file(world.dashboard.data_dir, "shop", LastFile("/nowhere/at/all.csv"))
    async with opened(world) as rosa:
        assert "/nowhere/at/all.csv cannot be read" in said(rosa)


async def test_between_the_file_and_its_columns(world: World) -> None:
    path = write_file(world)
    async with opened(world) as rosa:
        await name_file(rosa, path)
        assert isinstance(rosa.app.focused, RowList)
        await rosa.press("tab")
        assert isinstance(rosa.app.focused, Input)
        await rosa.write("x")
        await rosa.press("enter")
        assert "cannot be read" in said(rosa)


async def test_a_wallet_that_never_answered_has_no_currency(tmp_path: Path) -> None:
    world = World(tmp_path, known=False)
    try:
        path = write_file(world)
        async with opened(world) as rosa:
            await name_file(rosa, path)
            assert "No wallet has ever answered" in said(rosa)
    finally:
        world.close()


async def test_of_many_columns_one_is_found_by_typing(world: World) -> None:
    path = write_file(world, wide_row(), header=";".join(f"Heading{n}" for n in range(900)))
    async with opened(world, size=(80, 24)) as rosa:
        await name_file(rosa, path)
        await rosa.press("space")
        await rosa.on(PickScreen)
        await rosa.write("heading77")
        assert rosa.rows[0] == "Heading77"


def wide_row() -> str:
    return ";".join("x" for _ in range(900))


class _QuickDesk(Desk):
    """A desk that answers before a screen is mounted; it may also fail to, once."""

    failure: Exception | None = None

    async def _run(self, work: Callable[[LedgerReader], T]) -> T:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return self._with_reader(work)


@asynccontextmanager
async def answered_at_once(
    world: World, failure: Exception | None = None
) -> AsyncIterator[Merchant]:
    """Open the last file, with an app whose banner is mounted while the desk answers."""
    path = write_file(world)
    keep_last_file(world.dashboard.data_dir, "shop", LastFile(str(path)))
    app = OpdashApp(world.dashboard.real, demo=True)
    quick = _QuickDesk(world.reader.path, world.dashboard.data_dir, world.clock, desk(world)._scene)
    quick.failure = failure
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            rosa = Merchant(world, app, pilot)
            await rosa.settle()
            app.push_screen(InvoicesScreen(quick, "shop"))
            await rosa.on(InvoicesScreen)
            yield rosa
    finally:
        quick.close()


async def test_an_answer_that_comes_before_the_screen_is_mounted_is_not_lost(world: World) -> None:
    async with answered_at_once(world) as rosa:
        assert "9 invoices can be read." in said(rosa)
        assert "Rechnungsnr" in rosa.row("number")


async def test_a_review_shows_what_was_found_before_it_was_mounted(world: World) -> None:
    app = OpdashApp(world.dashboard.real, demo=True)
    quick = _QuickDesk(world.reader.path, world.dashboard.data_dir, world.clock, desk(world)._scene)
    quick.source = confirmed(world)
    async with app.run_test(size=(120, 40)) as pilot:
        rosa = Merchant(world, app, pilot)
        await rosa.settle()
        app.push_screen(ReviewScreen(quick, WalletChoice(app, "shop")))
        await rosa.on(ReviewScreen)
        assert len(rosa.rows) == 9


@pytest.mark.parametrize("failure", [LedgerError("It is locked.", "Try again."), OSError("gone")])
async def test_after_a_reading_that_failed_enter_reads_again(
    world: World, failure: Exception
) -> None:
    async with answered_at_once(world, failure) as rosa:
        assert "Reading" not in said(rosa)
        await rosa.press("enter")
        assert "9 invoices can be read." in said(rosa)


async def test_after_a_preview_that_failed_enter_reads_again(world: World) -> None:
    async with answered_at_once(world) as rosa:
        screen = rosa.app.screen
        assert isinstance(screen, InvoicesScreen)
        assert isinstance(screen._desk, _QuickDesk)
        screen._desk.failure = LedgerError("It is locked.", "Try again.")
        await rosa.press("ctrl+r")
        assert "Reading" not in said(rosa)
        await rosa.press("enter")
        assert "9 invoices can be read." in said(rosa)


async def test_one_wallets_payments_come_first_and_w_goes_through_the_others(world: World) -> None:
    path = write_file(world)
    tips = FakeSession(Profile("tips", "https://other.example/tips"), world.clock, None)
    world.dashboard.sessions.append(tips)
    world.dashboard.settings = Settings((world.session.profile, tips.profile))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        rosa = Merchant(world, app, pilot)
        await rosa.settle()
        app.show_payments("shop")
        await rosa.on(PaymentsScreen)
        await rosa.press("B")
        await name_file(rosa, path)
        await rosa.press("enter")
        await rosa.on(ReviewScreen)
        assert "against Rosa's Shop  w others" in rosa.line("title")
        await rosa.press("w")
        assert "against tips" in rosa.line("title")
        await rosa.press("w")
        assert "against all wallets" in rosa.line("title")


async def test_the_keys_say_how_to_take_another_file_also_where_there_is_little_room(
    world: World,
) -> None:
    path = write_file(world)
    async with opened(world, size=(80, 24)) as rosa:
        await name_file(rosa, path)
        assert "Tab File" in rosa.app.screen.query_one(KeyLine).text


async def test_nothing_is_said_to_be_well_beside_what_is_not(world: World) -> None:
    path = write_file(world, "A-1;20.11.2026;nothing;Ada;04.12.2026", ROWS[0])
    async with opened(world) as rosa:
        await name_file(rosa, path)
        note = rosa.app.screen.query_one("#file", FormField).note
        assert (note.kind, "2 rows" in note.sentence) == (Note.HINT, True)
