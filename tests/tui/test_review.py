"""Invoices beside the payments: what is shown, and every decision a person can take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from opdash.ledger.decisions import DecisionKind
from opdash.openpayments.amounts import Asset
from opdash.tui.screens.bill import BillScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.invoice import InvoiceScreen
from opdash.tui.screens.invoices import InvoicesScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.pick import PickScreen
from opdash.tui.screens.review import ReviewScreen
from opdash.tui.screens.split import PartField, SplitScreen
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.row_list import RowList
from opdash.tui.widgets.sheet import SheetView
from opdash.tui.widgets.span_lines import SpanLines
from tests.tui.book_doubles import HEADER, ROWS, Merchant, reviewing, write_file
from tests.tui.doubles import World, make_payment, payment_id, shop_payments

SUGGESTED = payment_id(6)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.set_complete(True)
    world.live()
    yield world
    world.close()


def decided(world: World) -> list[tuple[str, str, str, int | None]]:
    """Return the decisions that stand."""
    return [
        (one.kind.value, one.invoice, one.payment_id, one.amount)
        for one in world.reader.decisions(world.wallet.id)
        if one.stands
    ]


# What is shown


async def test_each_invoice_has_its_class_its_amounts_and_its_evidence(world: World) -> None:
    async with reviewing(world, size=(160, 40)) as rosa:
        assert [row.split()[1] for row in map(_without_mark, rosa.rows)] == [
            "PARTIAL",
            "PAID",
            "OUTSTANDING",
            "UNDERPAID",
            "EXPIRED",
            "UNDERPAID",
            "OVERPAID",
            "OUTSTANDING",
            "OUTSTANDING",
        ]
        partial = rosa.row("INV-2026-0412")
        for words in ("◐ PARTIAL", "250.00", "120.00", "−130.00", "reference", "Ada Okafor"):
            assert words in partial
        assert rosa.row("INV-2026-0500").startswith("»")
        for words in ("PARTIAL", "−130.00 USD", "Ada Okafor", "by reference “INV-2026-0412”"):
            assert words in rosa.details
        assert "row         2 of invoices.csv" in rosa.details
        assert "asked 3,452.50   received 2,170.00" in rosa.app.screen.query_one(SpanLines).text
        assert "5 need a look" in rosa.line("status")
        assert "against Rosa's Shop" in rosa.line("title")


def _without_mark(row: str) -> str:
    return row[2:]


async def test_classes_are_counted_and_gone_through(world: World) -> None:
    async with reviewing(world) as rosa:
        assert "[Invoices 9]  ● PAID 1   ◉ OVERPAID 1   ▼ UNDERPAID 2" in rosa.line("classes")
        await rosa.press("right")
        assert "[● PAID 1]" in rosa.line("classes")
        assert [_without_mark(row).split()[1] for row in rosa.rows] == ["PAID"]
        assert (
            "asked 20.00   received 20.00   difference 0.00"
            in rosa.app.screen.query_one(SpanLines).text
        )
        await rosa.press("left", "left")
        assert "[✕ EXPIRED UNPAID 1]" in rosa.line("classes")
        x = rosa.line("classes").index("◐ PARTIAL")
        await rosa.pilot.click("#classes", offset=(x, 0))
        await rosa.settle()
        assert "[◐ PARTIAL 1]" in rosa.line("classes")


async def test_only_what_needs_somebody(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("e")
        assert len(rosa.rows) == 5
        assert "exceptions only" in rosa.line("status")
        await rosa.press("e")
        assert len(rosa.rows) == 9


async def test_a_filter_is_typed_kept_and_cleared(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("slash")
        await rosa.write("nordwind -expired")
        assert len(rosa.rows) == 1
        assert "INV-2026-0377" in rosa.rows[0]
        await rosa.press("enter", "down")
        assert isinstance(rosa.app.focused, RowList)
        await rosa.press("escape")
        assert len(rosa.rows) == 9
        await rosa.press("slash")
        await rosa.write("zebra")
        empty = rosa.app.screen.query_one("#empty", SheetView)
        assert "Nothing has all of: zebra" in empty.text
        await rosa.press("escape", "escape")
        await rosa.on(PaymentsScreen)


async def test_rows_are_put_in_order_by_number_keys(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("5")
        assert rosa.app.screen.query_one(RowList).names[-1] == "INV-2025-0001"
        assert "RECEIVED▲" in rosa.line("columns")
        await rosa.press("5")
        assert rosa.app.screen.query_one(RowList).names[0] == "INV-2025-0001"
        await rosa.press("1", "s")
        assert "Sorted by invoice." in rosa.told
        assert "INVOICE▲" in rosa.line("columns")


async def test_the_cursor_stays_on_its_invoice_whatever_the_order(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0377")
        await rosa.press("2", "2", "4")
        assert rosa.selected == "INV-2026-0377"


async def test_payments_by_class(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0398")
        await rosa.press("v")
        assert "[Payments 10]  ● MATCHED 7   ○ UNMATCHED 3" in rosa.line("classes")
        await rosa.press("right", "right", "4")
        assert all("UNMATCHED" in row for row in rosa.rows)
        assert (
            "received 57.00   for invoices 0.00   left over 57.00"
            in rosa.app.screen.query_one(SpanLines).text
        )
        await rosa.select(SUGGESTED)
        assert "Suggested: a accepts, x rejects" in rosa.details
        assert "INV-2026-0500" in rosa.details
        await rosa.press("v")
        assert rosa.selected == "INV-2026-0398"
        await rosa.press("v")
        assert rosa.selected == SUGGESTED


async def test_everything_can_be_opened(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("enter")
        opened = await rosa.on(InvoiceScreen)
        text = opened.query_one(SheetView).text
        assert "Row 2 of the file" in text
        assert "Betrag       250,00  ← amount" in text
        assert payment_id(1).removeprefix("https://") in text
        await rosa.press("o")
        await rosa.on(DetailScreen)
        await rosa.press("escape", "escape")
        await rosa.on(ReviewScreen)
        await rosa.press("v", "enter")
        await rosa.on(DetailScreen)


async def test_number_and_url_are_copied(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("y", "v", "y")
        assert rosa.copied == ["INV-2026-0412", payment_id(1)]


async def test_remote_text_reaches_no_screen_raw(world: World) -> None:
    rows = ("\x1b[2J=1+1|[red]x;20.11.2026;40,00;\u202eevil;04.12.2026",)
    async with reviewing(world, *rows) as rosa:
        assert "␛[2J=1+1|[red]x" in rosa.details
        await rosa.press("v", "4", "4")
        assert "\x1b" not in "".join(rosa.rows) + rosa.details


# What happens meanwhile


async def test_an_invoice_turns_paid_before_ones_eyes(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0411")
        await rosa.pay(1, asked=25000, received=25000, completed=True, reference="INV-2026-0412")
        row = rosa.row("INV-2026-0412")
        assert row.startswith("• ● PAID")
        assert rosa.selected == "INV-2026-0411"
        assert "● PAID 2" in rosa.line("classes")
        assert "• changed" in rosa.line("status")
        await rosa.press("up")
        assert rosa.row("INV-2026-0412").startswith("  ● PAID")


async def test_what_another_process_writes_is_seen(world: World) -> None:
    async with reviewing(world) as rosa:
        world.ledger.decide(
            world.wallet.id,
            DecisionKind.LINK,
            "INV-2026-0500",
            SUGGESTED,
            at=world.clock.now(),
        )
        await rosa.look()
        assert "● PAID" in rosa.row("INV-2026-0500")


async def test_a_file_that_changes_is_read_again(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0398")
        write_file(world, "INV-2026-0600;20.11.2026;1,00;New;04.12.2026", *ROWS)
        await rosa.look()
        assert "invoices.csv has changed and was read again: 10 invoices." in rosa.told
        assert rosa.selected == "INV-2026-0398"
        assert "OUTSTANDING" in rosa.row("INV-2026-0600")


async def test_a_file_that_cannot_be_read_any_more_stays_as_it_was(world: World) -> None:
    async with reviewing(world) as rosa:
        path = write_file(world, 'INV-1;20.11.2026;"1,00;x;y')
        await rosa.look()
        notices = rosa.app.screen.query_one(Notices)
        assert "cannot be read" in str(notices.content)
        assert "This is the file as it was." in str(notices.content)
        assert len(rosa.rows) == 9
        path.unlink()
        await rosa.look()
        assert len(rosa.rows) == 9
        write_file(world)
        await rosa.look()
        assert not notices.display


async def test_rows_that_broke_are_said_to_be_left_out(world: World) -> None:
    async with reviewing(world) as rosa:
        write_file(world, *ROWS, "INV-2026-0601;20.11.2026;oops;New;04.12.2026")
        await rosa.look()
        assert "▲ 1 row left out" in rosa.line("status")


async def test_an_incomplete_ledger_is_said(world: World) -> None:
    world.set_complete(False)
    async with reviewing(world) as rosa:
        assert "the server has older payments" in rosa.line("status")


# Decisions


async def test_a_suggestion_is_accepted_and_taken_back(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0500")
        assert "Suggested: a accepts, x rejects" in rosa.details
        await rosa.press("a")
        assert decided(world) == [("link", "INV-2026-0500", SUGGESTED, None)]
        assert "● PAID" in rosa.row("INV-2026-0500")
        assert rosa.told[-1].endswith("INV-2026-0500 is PAID now.")
        assert "by hand" in rosa.details
        await rosa.press("u")
        assert decided(world) == []
        assert "OUTSTANDING" in rosa.row("INV-2026-0500")
        assert rosa.told[-1].startswith("Undone: INV-2026-0500 is paid by")


async def test_a_suggestion_is_rejected_for_good(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0500")
        await rosa.press("x")
        assert decided(world) == [("rejection", "INV-2026-0500", SUGGESTED, None)]
        await rosa.press("a")
        assert rosa.told[-1].startswith("Nothing is suggested here.")
        assert "is not paid by" in rosa.details


async def test_a_match_is_rejected(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("x")
        assert decided(world) == [("rejection", "INV-2026-0412", payment_id(1), None)]
        assert "OUTSTANDING" in rosa.row("INV-2026-0412")
        await rosa.press("x")
        assert rosa.told[-1] == "Nothing is matched here that could be rejected."


async def test_an_invoice_is_linked_by_hand_to_a_payment_found_by_typing(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0501")
        await rosa.press("l")
        await rosa.on(PickScreen)
        await rosa.write("tip")
        assert len(rosa.rows) == 1
        await rosa.press("enter")
        await rosa.on(ReviewScreen)
        assert decided(world) == [("link", "INV-2026-0501", payment_id(4), None)]
        assert "PARTIAL" in rosa.row("INV-2026-0501")
        assert "by hand" in rosa.details


async def test_a_payment_is_linked_by_hand_to_an_invoice(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("v")
        await rosa.select(payment_id(4))
        await rosa.press("l")
        await rosa.write("0501")
        await rosa.press("enter")
        assert decided(world) == [("link", "INV-2026-0501", payment_id(4), None)]
        assert "MATCHED" in rosa.row(payment_id(4))
        await rosa.press("x")
        assert decided(world) == [("rejection", "INV-2026-0501", payment_id(4), None)]


async def test_choosing_nothing_decides_nothing(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("l", "escape", "S", "escape", "u", "U")
        assert decided(world) == []
        assert rosa.told == ["There is nothing to undo."] * 2


async def test_of_several_payments_the_one_to_reject_is_chosen(world: World) -> None:
    await_paid = [payment_id(2), payment_id(31)]
    async with reviewing(world) as rosa:
        await rosa.pay(31, asked=2000, received=2000, completed=True, reference="INV-2026-0411")
        await rosa.select("INV-2026-0411")
        assert "DUPLICATE PAYMENT" in rosa.row("INV-2026-0411")
        await rosa.press("x")
        await rosa.on(PickScreen)
        listed = rosa.app.screen.query_one(RowList)
        assert sorted(listed.names) == sorted(await_paid)
        listed.select(payment_id(31))
        await rosa.press("enter")
        assert decided(world) == [("rejection", "INV-2026-0411", payment_id(31), None)]
        assert "● PAID" in rosa.row("INV-2026-0411")


async def test_an_ambiguous_payment_is_given_to_one_of_its_invoices(world: World) -> None:
    rows = ("AB-1;;10,00;;", "ab/1;;10,00;;")
    async with reviewing(world, *rows) as rosa:
        await rosa.pay(32, asked=1000, received=1000, completed=True, reference="AB 1")
        assert all("AMBIGUOUS" in row for row in rosa.rows)
        await rosa.press("a")
        assert decided(world) == [("link", "AB-1", payment_id(32), None)]
        assert "● PAID" in rosa.row("AB-1")
        await rosa.press("u", "v")
        await rosa.select(payment_id(32))
        await rosa.press("a")
        await rosa.on(PickScreen)
        await rosa.press("down", "enter")
        assert decided(world) == [("link", "ab/1", payment_id(32), None)]


async def test_a_chosen_decision_is_taken_back(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("x", "down", "x", "U")
        await rosa.on(PickScreen)
        assert "INV-2026-0411 is not paid by" in rosa.rows[0]
        await rosa.press("down", "enter")
        assert decided(world) == [("rejection", "INV-2026-0411", payment_id(2), None)]


async def test_a_number_that_the_file_has_twice_is_not_decided_about(world: World) -> None:
    async with reviewing(world, ROWS[0], ROWS[0]) as rosa:
        assert all("DUPLICATE NUMBER" in row for row in rosa.rows)
        await rosa.press("S")
        assert rosa.told[-1].startswith("The file has INV-2026-0412 in rows 2, 3.")
        await rosa.press("l", "enter")
        assert rosa.told[-1].startswith("The file has INV-2026-0412 in rows 2, 3.")
        assert decided(world) == []


async def test_all_of_a_payment_is_one_invoices(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0500")
        await rosa.press("a")
        await rosa.select("INV-2026-0501")
        await rosa.press("l")
        await rosa.write("40.00")
        await rosa.press("enter")
        assert "All of this payment is INV-2026-0500's already." in rosa.told[-1]
        assert len(decided(world)) == 1


async def test_one_payment_is_split_over_several_invoices(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("v")
        await rosa.select(SUGGESTED)
        await rosa.press("S")
        screen = await rosa.on(SplitScreen)
        (first,) = screen.query(PartField)
        assert (first.part.number, first.input.value) == ("INV-2026-0500", "40.00")
        first.input.value = "22.50"
        await rosa.press("ctrl+n")
        await rosa.write("0501")
        await rosa.press("enter")
        await rosa.write("17.60")
        assert "Only 17.50 USD is left." in _notes(rosa)
        await rosa.press("ctrl+s")
        assert isinstance(rosa.app.screen, SplitScreen)
        await rosa.press("backspace", "backspace")
        await rosa.write("50")
        assert "40.00 of the payment's 40.00 USD" in _notes(rosa)
        await rosa.press("ctrl+s")
        await rosa.on(ReviewScreen)
        assert decided(world) == [
            ("link", "INV-2026-0500", SUGGESTED, 2250),
            ("link", "INV-2026-0501", SUGGESTED, 1750),
        ]
        await rosa.press("v")
        assert "● PAID" in rosa.row("INV-2026-0501")
        assert "UNDERPAID" in rosa.row("INV-2026-0500")


async def test_several_payments_pay_one_invoice(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0501")
        await rosa.press("S", "ctrl+n")
        await rosa.write("tip")
        await rosa.press("enter")
        await rosa.write("12")
        await rosa.press("ctrl+n")
        await rosa.write("monetization")
        await rosa.press("enter")
        await rosa.write("5")
        assert "17.00 of the invoice's 17.50 USD; 0.50 left" in _notes(rosa)
        await rosa.press("ctrl+s")
        assert decided(world) == [
            ("link", "INV-2026-0501", payment_id(4), 1200),
            ("link", "INV-2026-0501", payment_id(7), 500),
        ]
        assert "17.00" in rosa.row("INV-2026-0501")


async def test_an_emptied_line_of_a_split_is_taken_back_or_rejected(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("S")
        screen = await rosa.on(SplitScreen)
        screen.query_one(PartField).input.value = ""
        await rosa.press("ctrl+s")
        assert decided(world) == [("rejection", "INV-2026-0412", payment_id(1), None)]
        await rosa.select("INV-2026-0500")
        await rosa.press("a", "S")
        screen = await rosa.on(SplitScreen)
        screen.query_one(PartField).input.value = "0"
        await rosa.press("ctrl+s")
        assert decided(world) == [("rejection", "INV-2026-0412", payment_id(1), None)]


async def test_what_was_typed_into_a_split_is_not_lost_by_one_key(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("S", "escape")
        await rosa.on(ReviewScreen)
        await rosa.press("S")
        screen = await rosa.on(SplitScreen)
        screen.query_one(PartField).input.value = "nonsense"
        await rosa.press("ctrl+s")
        assert "Nothing was saved: see the marked lines." in _notes(rosa)
        await rosa.press("escape")
        assert "The split has not been saved." in _notes(rosa)
        await rosa.press("escape")
        await rosa.on(ReviewScreen)
        assert decided(world) == []


def _notes(rosa: Merchant) -> str:
    return "\n".join(note.sentence for note in rosa.app.screen.query(NoteLine))


async def test_decisions_are_taken_on_one_invoices_screen_too(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.select("INV-2026-0500")
        await rosa.press("enter", "a")
        screen = await rosa.on(InvoiceScreen)
        assert "● PAID" in screen.query_one(SheetView).text
        assert decided(world) == [("link", "INV-2026-0500", SUGGESTED, None)]
        await rosa.press("u")
        assert "○ OUTSTANDING" in screen.query_one(SheetView).text
        write_file(world, *ROWS[:3])
        await rosa.pilot.pause()
        await screen.look()
        assert screen.query_one(SheetView).text == "This invoice is no longer in the file."
        await rosa.press("a", "x", "l", "S", "o", "y")
        assert isinstance(rosa.app.screen, InvoiceScreen)


# Picking, and the way elsewhere


async def test_invoices_are_picked_for_what_comes_next(world: World) -> None:
    async with reviewing(world) as rosa:
        screen = await rosa.on(ReviewScreen)
        await rosa.press("space", "space", "up", "space")
        assert screen.picked == ("INV-2026-0412",)
        assert rosa.row("INV-2026-0412").startswith("✓")
        assert "✓ 1 picked" in rosa.line("status")
        await rosa.press("asterisk", "asterisk")
        assert screen.picked == ("INV-2026-0500", "INV-2026-0501")


async def test_payments_are_created_for_what_is_picked(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("asterisk", "n")
        screen = await rosa.on(BillScreen)
        assert screen._terms.only == {"INV-2026-0500", "INV-2026-0501"}
        await rosa.press("escape")
        await rosa.on(ReviewScreen)


async def test_the_servers_are_asked_and_the_wallets_gone_through(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("r")
        assert world.session.polls_asked_for == 1
        await rosa.press("w")
        assert rosa.told[-1] == "There is only one wallet."


async def test_the_file_can_be_changed_and_left(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.press("f")
        await rosa.on(InvoicesScreen)
        await rosa.press("escape")
        await rosa.on(ReviewScreen)
        await rosa.press("f", "enter")
        await rosa.on(ReviewScreen)
        await rosa.settle()
        assert len(rosa.rows) == 9
        await rosa.press("escape")
        await rosa.on(PaymentsScreen)


async def test_the_details_are_scrolled(world: World) -> None:
    async with reviewing(world, size=(120, 12)) as rosa:
        details = rosa.app.screen.query_one("#details")
        await rosa.press("tab", "down", "down")
        assert details.scroll_y == 2
        await rosa.press("tab", "down")
        assert rosa.selected == "INV-2026-0411"


async def test_a_thousand_rows_are_listed_without_making_any_that_is_not_seen(
    world: World,
) -> None:
    rows = [f"N-{number:04};20.11.2026;{number}.00;;" for number in range(1, 4001)]
    header = HEADER.replace("Betrag", "Amount")
    async with reviewing(world, *rows, header=header) as rosa:
        listed = rosa.app.screen.query_one(RowList)
        assert len(listed.names) == 4000
        await rosa.press("end")
        assert rosa.selected == "N-4000"
        await rosa.press("4", "4")
        assert listed.names[0] == "N-4000"
        await rosa.press("slash")
        await rosa.write("N-0077")
        assert list(listed.names) == ["N-0077"]


async def test_money_is_late_from_the_day_after_it_was_due_while_it_is_waited_for(
    world: World,
) -> None:
    partly, paid = (
        "INV-2026-0412;20.11.2026;250,00;Ada Okafor;20.11.2026",
        "INV-2026-0411;20.11.2026;20,00;Café Lumière;20.11.2026",
    )
    async with reviewing(world, partly, paid, size=(160, 40)) as rosa:
        assert "late" not in rosa.row("INV-2026-0412")
        assert "● all clear" in rosa.line("status")
        world.clock.instant += timedelta(days=1)
        await rosa.look()
        assert "late" in rosa.row("INV-2026-0412")
        assert "!20 Nov" in rosa.row("INV-2026-0412")
        assert "late" not in rosa.row("INV-2026-0411")
        assert "!" not in rosa.row("INV-2026-0411")
        assert "▲ 1 needs a look" in rosa.line("status")


@pytest.mark.parametrize("width", [80, 120])
async def test_amounts_are_shown_whole_however_little_room_there_is(
    world: World, width: int
) -> None:
    number = "R-2026-0000000000000000000000412"
    world.record(
        make_payment(60, asked=None, received=123456789, reference=number),
        make_payment(61, asked=98765432101, received=98765432101, reference=number + "X"),
    )
    rows = (f"{number}X;20.11.2026;987.654.321,01;Ada Okafor;04.12.2026",)
    async with reviewing(world, *rows, size=(width, 24)) as rosa:
        (row,) = rosa.rows
        assert "987,654,321.01  987,654,321.01        0.00" in row
        await rosa.press("v")
        assert rosa.row(payment_id(60)).rstrip().endswith("1,234,567.89  1,234,567.89")
        assert rosa.line("columns").rstrip().endswith("LEFT OVER")


async def test_nothing_is_all_clear_while_the_other_side_or_the_file_is_not(world: World) -> None:
    short = "INV-2026-0377;09.11.2026;1.000,00;Nordwind GmbH;16.11.2026"
    broken = "INV-2026-0601;20.11.2026;oops;New;04.12.2026"
    paid = "INV-2026-0411;20.11.2026;20,00;Café Lumière;04.12.2026"
    async with reviewing(world, short) as rosa:
        await rosa.press("v")
        assert "all clear" not in rosa.line("status")
    async with reviewing(world, paid) as rosa:
        assert "● all clear" in rosa.line("status")
        write_file(world, paid, broken)
        await rosa.look()
        assert "all clear" not in rosa.line("status")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("received", [120_000, 2**40, 2**63 - 1])
async def test_no_amount_of_a_payment_is_cut(
    world: World, size: tuple[int, int], received: int
) -> None:
    more = {"asset": Asset("XRP", 9), "asked": received, "received": received}
    async with reviewing(world, size=size) as rosa:
        await rosa.pay(31, reference="A very long reference of one payment", **more)
        await rosa.look()
        await rosa.press("v")
        listed = rosa.app.screen.query_one(RowList)
        assert "RECEIVED" in rosa.line("columns")
        assert all(cell_len(row) <= listed.room for row in rosa.rows)
        assert f"{received // 10**9:,}.{received % 10**9:09} XRP" in rosa.row(payment_id(31))
        assert "0.00 USD" in rosa.row(payment_id(1))


async def test_the_classes_of_payments_to_choose_from_are_below_each_other(world: World) -> None:
    async with reviewing(world) as rosa:
        await rosa.pay(31, reference="")
        await rosa.look()
        await rosa.press("l")
        rows = (await rosa.on(PickScreen)).query_one(RowList).texts()
        places = {
            row.find("UNMATCHED") if "UN" in row[40:] else row.find("MATCHED") for row in rows
        }
        assert len(places) == 1
