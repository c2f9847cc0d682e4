"""``opdash reconcile FILE --follow``: each change of class as it happens, until it is ended.

With ``--json`` each change is one object, after those of the report (`reconcile_output`):

invoiceChange  the fields of ``invoice``, and ``before``: the class it had, null for a row that is
               new. ``class`` is null for one that is no longer in the file.
paymentChange  the fields of ``payment``, and ``before`` likewise.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from opdash.books.book import Book, InvoiceChange, PaymentChange
from opdash.books.desk import Desk, Look, Scene
from opdash.books.records import PaymentClass, PaymentResult
from opdash.cli import reconcile_output as output
from opdash.cli import wording
from opdash.cli.ending import told_to_end
from opdash.cli.output import print_json, print_lines, talk
from opdash.errors import InputError
from opdash.ledger.search.terms import Query
from opdash.ledger.states import GLYPHS
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged, StatusChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase

_MOST_PROBLEMS = 20
_LOOK_EVERY = 1.0
"""Seconds between two looks at what nobody announces: the file, and other processes' writing."""


async def follow(
    dashboard: Dashboard,
    sessions: Sequence[WalletSession],
    book: Book,
    query: Query | None,
    *,
    as_json: bool,
) -> Book:
    """Poll, and print what becomes of the invoices, until somebody ends it.

    Args:
        dashboard: The service.
        sessions: The wallets to poll.
        book: What has been printed.
        query: Which payments, or None for all.
        as_json: Whether to print objects.

    Returns:
        What holds at the end.

    Raises:
        OSError: Nobody reads any more what is printed.
        LedgerError: The ledger cannot be read.
    """
    from opdash.cli.reconcile import book_wallets

    def scene() -> Scene:
        return Scene(book_wallets(sessions), dashboard.settings.searches)

    clock = dashboard.clock
    desk = Desk(dashboard.reader.path, dashboard.data_dir, clock, scene, query)
    desk.source, desk.book = book.source, book
    news, ended = asyncio.Event(), asyncio.Event()
    told = _Telling(news)
    forget = dashboard.events.subscribe(told.hear)
    ticking = asyncio.create_task(_tick(dashboard, news))
    looking = asyncio.create_task(_look_for_ever(desk, news, clock.now, as_json=as_json))
    looking.add_done_callback(lambda _: ended.set())
    try:
        with told_to_end(ended.set, interrupted_too=True):
            for session in sessions:
                session.start()
            await ended.wait()
    finally:
        forget()
        ticking.cancel()
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        desk.close()
    return desk.book or book


class _Telling:
    """Hears what the service announces, and says how each server stands."""

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self._told: dict[str, tuple[Phase, str]] = {}

    def hear(self, event: Event) -> None:
        """Have the desk looked at, or say how a server stands."""
        if isinstance(event, PaymentsChanged):
            self._news.set()
        elif isinstance(event, StatusChanged):
            status, name = event.status, event.profile
            told = (status.phase, status.problem)
            if status.phase in (Phase.IDLE, Phase.CONNECTING) or self._told.get(name) == told:
                return
            self._told[name] = told
            if status.phase is Phase.LIVE:
                talk(f"{name}: live; each change follows, until Ctrl+C.")
            else:
                talk(f"{name}: {status.problem} {status.advice} Trying again.")


async def _tick(dashboard: Dashboard, news: asyncio.Event) -> None:
    while True:
        await dashboard.clock.sleep(_LOOK_EVERY)
        news.set()


async def _look_for_ever(
    desk: Desk, news: asyncio.Event, now: Callable[[], datetime], *, as_json: bool
) -> None:
    trouble = ""
    while True:
        await news.wait()
        news.clear()
        try:
            look = await desk.look()
        except InputError as error:
            desk.trouble, look = error.sentence, None
        if desk.trouble != trouble:
            trouble = desk.trouble
            if trouble:
                talk(f"{trouble} What follows is of the file as it was.")
        if look is not None:
            _print(look, now(), as_json=as_json)


def _print(look: Look, now: datetime, *, as_json: bool) -> None:
    book = look.book
    if look.has_read_again:
        count = f"{len(book.file.invoices):,}"
        talk(f"{book.path.name} has changed and was read again: {count} invoices.")
        talk(*(f"{book.path.name}, {problem}" for problem in book.file.problems[:_MOST_PROBLEMS]))
    if as_json:
        assets = {one.payment.id: one.payment.asset for one in book.found.payments}
        for invoice in look.invoices:
            print_json(output.invoice_change_record(invoice, assets))
        for payment in look.payments:
            print_json(output.payment_change_record(payment))
        return
    clock = wording.to_the_second(now)
    names = output.short_names(one.payment for one in book.found.payments)
    for invoice in look.invoices:
        _print_parts(clock, _invoice_words(invoice, names))
    for payment in look.payments:
        if _is_worth_a_line(payment):
            _print_parts(clock, _payment_words(payment.after, names))


def _print_parts(clock: str, parts: Sequence[str]) -> None:
    print_lines("  ".join(part for part in (clock, *parts) if part))


def _invoice_words(change: InvoiceChange, names: Mapping[str, str]) -> Sequence[str]:
    before, after = change.before, change.after
    if after is None:
        return () if before is None else (before.invoice.number, "no longer in the file")
    kind = " · ".join([after.kind.value, *after.remarks(wording.money)])
    if before is not None and before.kind is not after.kind:
        kind = f"{before.kind.value} → {kind}"
    due, asset = after.invoice.amount, after.invoice.asset
    received = f"{wording.number(after.received, asset)} of {wording.money(due, asset)}"
    paid_by = (names[found.payment_id] for found in after.matches)
    rule = after.matches[0].rule.value if after.matches else ""
    return after.invoice.number, kind, received, rule, *paid_by


def _is_worth_a_line(change: PaymentChange) -> bool:
    """Return whether no invoice's line tells the same; unpaid payments of no invoice are many."""
    one = change.after
    return one.kind is not PaymentClass.MATCHED and one.payment.received > 0


def _payment_words(one: PaymentResult, names: Mapping[str, str]) -> Sequence[str]:
    payment = one.payment
    return (
        "payment",
        one.kind.value,
        f"{GLYPHS[payment.state]} {payment.state.value}",
        wording.money(payment.received, payment.asset),
        ", ".join(payment.references) or payment.description,
        names[payment.id],
    )
