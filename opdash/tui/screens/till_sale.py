"""A customer pays: the amount, the code and what has arrived; then PAID on the whole screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from opdash.ledger.records import Change, PaymentRow
from opdash.qr import SMALL_QUIET, QrCode, fitting_code, qr_code
from opdash.safetext import safe_text
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase
from opdash.service.till import Sale, Standing, missing, standing
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.screens.till_end import EndSaleScreen, How
from opdash.tui.stylesheets import sheets
from opdash.tui.till_words import (
    advice,
    big_words,
    clock,
    hint,
    left,
    received_of,
)
from opdash.tui.widgets.big_text import BigText
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.qr import QrView
from opdash.tui.widgets.sale_bar import SaleBar
from opdash.tui.widgets.session_header import SessionHeader

LEAST_FACTS = 34
"""Columns that the words need beside a code."""

SEEN_AFTER = 0.7
"""Seconds that the end of a sale stands before Enter goes on: one that was on its way does not."""

_FACT_ROWS = 12
"""Rows that the words need above a code."""

_TICK = 0.5
_TALL = 34
"""From so many rows on everything is as large as can be."""
_SMALL = 22
"""Below so many rows large figures leave room for what else there is to know."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_TAKEN_UP = "This sale was under way when the till was last closed."
_CLASSES = {
    Standing.PAID: "-good",
    Standing.OVERPAID: "-attention",
    Standing.SHORT: "-attention",
    Standing.EXPIRED_PART: "-attention",
    Standing.STRANGE: "-bad",
    Standing.CLOSED: "-plain",
    Standing.EXPIRED: "-plain",
}

_PAYABLE = (Standing.WAITING, Standing.PART)
"""When the code is shown: later it would be paid twice, or in vain."""


@dataclass(frozen=True, slots=True)
class SaleEnded:
    """How a person left a sale.

    Attributes:
        payment: What was known of it then.
        is_left: Whether it was left to expire.
        rest: Minor units to ask for in a new sale; 0 for none.
        deed: What the person did about it, for the time line; empty where they only saw its end.
        untold: What came in meanwhile and has not been told.
    """

    payment: PaymentRow
    is_left: bool = False
    rest: int = 0
    deed: str = ""
    untold: tuple[Change, ...] = ()


class SaleScreen(OpdashModal[SaleEnded]):
    """Shows one sale until it is over and seen.

    Args:
        session: The wallet that is paid.
        sale: The sale, with its payment.
        taken_up: Whether it was begun before the till was opened.
    """

    PLACE = Place.SALE
    CSS_PATH = sheets("modals", "forms", "till")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SALE)

    def __init__(self, session: WalletSession, sale: Sale, *, taken_up: bool = False) -> None:
        super().__init__()
        if sale.payment is None:
            raise ValueError("a sale without a payment cannot be shown")
        self._session = session
        self._sale = sale
        self._row = sale.payment
        self._taken_up = taken_up
        self._watch = session.watch_sale(sale.payment.id)
        self._over_since: float | None = None
        self._is_laid_out = False
        self._shows_code_alone = False
        self._deed = ""
        self._untold: list[Change] = []

    # Layout

    def compose(self) -> ComposeResult:
        """Lay the words beside the code, and what the end is told with over both."""
        if self.opdash.demo:
            yield DemoBanner()
        yield SessionHeader(self._session, lambda: ("at the till", "till"))
        with Container(id="sale-body"):
            with Vertical(id="sale-facts"):
                yield BigText(id="sale-amount")
                yield Static("", id="sale-name", markup=False)
                yield Static("", id="sale-url", markup=False)
                yield Static("", id="sale-progress", markup=False)
                yield SaleBar(id="sale-bar")
                yield Static("", id="sale-hint", markup=False)
                yield Static("", id="sale-time", markup=False)
                yield Static("", id="sale-trouble", markup=False)
                yield Static("", id="sale-how", markup=False)
            yield QrView(id="sale-code")
        with Vertical(id="sale-end"):
            yield BigText(id="end-word")
            yield BigText(id="end-amount")
            yield Static("", id="end-name", markup=False)
            yield Static("", id="end-advice", markup=False)
        yield KeyLine(self.PLACE)

    def on_mount(self) -> None:
        """Show the sale, and look at its payment as often as a person who waits wants it."""
        self._is_laid_out = True
        self.set_interval(_TICK, self.tick)
        self._show()
        self.background(self._watch.run, "till-watch")

    def on_resize(self) -> None:
        """Look anew what there is room for."""
        self._fit()

    # What is known

    def hear(self, event: Event) -> None:
        """Show at once what became of the payment."""
        if isinstance(event, PaymentsChanged) and event.wallet_id == self._row.wallet:
            self.tick()

    def takes_over(self, change: Change) -> bool:
        """Ring the bell for this sale alone; the customer is not shown what others pay."""
        if change.announce and change.payment.id == self._row.id:
            self.opdash.ring(self._row.wallet, change)
        elif change.announce:
            self._untold.append(change)
        return True

    def tick(self) -> None:
        """Show what the ledger knows by now, whoever wrote it there."""
        row = self.dashboard.reader.payment(self._row.wallet, self._row.id)
        if row is not None:
            self._row = row
        self._show()

    def _show(self) -> None:
        if not self._is_laid_out:
            return
        stands = standing(self._row)
        if stands.is_over and self._over_since is None:
            self._over_since = self.dashboard.clock.monotonic()
            self._shows_code_alone = False
        elif not stands.is_over:
            self._over_since = None
        self.set_class(stands.is_over, "-over")
        for known in ("-good", "-attention", "-bad", "-plain"):
            self.set_class(_CLASSES.get(stands) == known, known)
        if stands.is_over:
            self._show_end()
        else:
            self._show_progress()
        self._fit()

    def _show_end(self) -> None:
        row = self._row
        self.query_one("#end-word", BigText).show(*big_words(row))
        amount = fmt.brief_number(row.received, row.received_asset)
        self.query_one("#end-amount", BigText).show(
            amount, unit=f"{fmt.asset_code(row.received_asset)} received"
        )
        asked = f" · {received_of(row)}" if row.difference else ""
        paid = standing(row) in (Standing.PAID, Standing.OVERPAID)
        at = f" · {clock(row.changed_at, seconds=True)}" if paid else ""
        self.query_one("#end-name", Static).update(f"{self._reference()}{asked}{at}")
        self.query_one("#end-advice", Static).update(
            Content.assemble(advice(row), "\n\n", ("Enter: the next customer", "bold"))
        )

    def _show_progress(self) -> None:
        row, now = self._row, self._session.now()
        asset = row.asked_asset or row.received_asset
        amount = self.query_one("#sale-amount", BigText)
        amount.show(fmt.brief_number(row.asked or 0, asset), unit=fmt.asset_code(asset))
        self.query_one("#sale-name", Static).update(Content.styled(self._reference(), "bold"))
        self.query_one("#sale-progress", Static).update(f"{received_of(row)} received")
        self.query_one(SaleBar).show(row)
        self.query_one("#sale-hint", Static).update(
            Content.styled(hint(row, now), "bold" if row.received else "")
        )
        self.query_one("#sale-time", Static).update(_time(row, now))
        trouble = self._trouble()
        shown = self.query_one("#sale-trouble", Static)
        shown.display = bool(trouble)
        shown.update(trouble)

    def _reference(self) -> str:
        return safe_text(self._sale.reference, limit=60) or "no reference"

    def _trouble(self) -> str:
        """Return what keeps what is shown from being the present truth."""
        told = []
        if self._watch.trouble is not None:
            seen = clock(self._row.last_seen_at, seconds=True)
            told.append(
                f"▲ {safe_text(self._watch.trouble.sentence, limit=160)} This is as of {seen}: "
                "more may have arrived. opdash keeps asking."
            )
        elif self._session.status.phase is Phase.OFFLINE:
            told.append("▲ offline: opdash keeps asking.")
        if self._sale.creation.error:
            told.append(f"▲ {safe_text(self._sale.creation.error, limit=160)}")
        if self._taken_up:
            told.append(_TAKEN_UP)
        return " ".join(told)

    # The code

    def _fit(self) -> None:
        """Choose where the code is drawn, whole, and say why where it is not."""
        if not self._is_laid_out:
            return
        room = self.size
        frame = 2 + self.opdash.demo  # the header, the keys, and in the demo what says so
        beside = self._code(room.width - LEAST_FACTS - 1, room.height - frame)
        hides_header = False
        if beside is None:
            beside = self._code(room.width - LEAST_FACTS - 1, room.height - frame + 1)
            hides_header = beside is not None
        below = None if beside else self._code(room.width, room.height - frame - _FACT_ROWS)
        alone = None if beside or below else self._code(room.width, room.height)
        if alone is None:
            self._shows_code_alone = False
        over = self.has_class("-over")
        if standing(self._row) not in _PAYABLE:
            beside = below = alone = None
            self._shows_code_alone = False
        self.set_class(self._shows_code_alone and not over, "-code-alone")
        self.set_class(beside is not None, "-code-beside")
        self.set_class(below is not None, "-code-below")
        payable = standing(self._row) in _PAYABLE
        self.set_class(payable and beside is None and below is None, "-no-code")
        self.set_class(hides_header and not over, "-no-header")
        shown = beside or below or (alone if self._shows_code_alone else None)
        self.query_one(QrView).draw(None if over else shown)
        self.query_one("#sale-url", Static).update(
            Content.assemble((safe_text(self._row.id), "bold"), "\n", (self._why(alone), "$muted"))
        )
        self.query_one("#sale-how", Static).update(self._how())
        for name, rows in _heights(room.height, len(big_words(self._row))).items():
            self.query_one(f"#{name}", BigText).set_highest(rows)
        off = [] if over else ["next_customer"]
        off += [] if alone is not None and not over else ["zoom_code"]
        off += [] if over and self._rest() else ["ask_again"]
        off += ["end_sale"] if over else []
        self.query_one(KeyLine).set_off(*off)

    def _code(self, width: int, height: int) -> QrCode | None:
        return fitting_code(self._row.id, width, height)

    def _how(self) -> str:
        if standing(self._row) not in _PAYABLE:
            return "The QR code is gone, so that nobody pays this in vain or twice."
        if urlsplit(self._row.id).hostname in _LOOPBACK:
            return "The URL is on this machine alone: a phone does not reach it."
        return ""

    def _why(self, alone: QrCode | None) -> str:
        """Return why there is no code."""
        if alone is not None:
            return "The QR code does not fit beside this. F2 draws it on the whole screen."
        return self._why_no_code()

    def _why_no_code(self) -> str:
        least = qr_code(self._row.id, SMALL_QUIET)
        if least is None:
            return "The URL is too long for a QR code: F3 copies it."
        room = self.size
        return (
            f"No room for the QR code: it takes {least.width} columns and {least.height} rows, and "
            f"this terminal has {room.width} and {room.height}. Make it larger, or its letters "
            "smaller; F3 copies the URL."
        )

    # What a person does

    def _may_go_on(self) -> bool:
        """Whether the end has stood there long enough to be seen."""
        since = self._over_since
        return since is not None and self.dashboard.clock.monotonic() - since >= SEEN_AFTER

    def _rest(self) -> int:
        over = standing(self._row)
        if over not in (
            Standing.SHORT,
            Standing.CLOSED,
            Standing.EXPIRED_PART,
            Standing.EXPIRED,
        ):
            return 0
        return missing(self._row)

    def action_next_customer(self) -> None:
        """Go on to the next customer, once the end has been seen."""
        if self._may_go_on():
            self._end(deed=self._deed)

    def action_ask_again(self) -> None:
        """Begin a new sale for what is missing."""
        if self._may_go_on() and self._rest():
            self._end(rest=self._rest(), deed=self._deed)

    def action_end_sale(self) -> None:
        """Ask whether to complete the payment or to let it expire; leave what is over."""
        if self._shows_code_alone:
            self._shows_code_alone = False
            self._fit()
        elif standing(self._row).is_over:
            self.action_next_customer()
        else:
            self.app.push_screen(EndSaleScreen(self._session, self._row), self._decided)

    def _decided(self, how: How | None) -> None:
        self.tick()
        if how is How.COMPLETED:
            self._deed = f"completed with {received_of(self._row)}"
        elif how is How.LEFT:
            deed = f"left to expire with {received_of(self._row)}"
            self._end(is_left=True, deed=deed)

    def _end(self, *, is_left: bool = False, rest: int = 0, deed: str = "") -> None:
        self.dismiss(SaleEnded(self._row, is_left, rest, deed, tuple(self._untold)))

    def action_zoom_code(self) -> None:
        """Draw the code on the whole screen, or go back to the words."""
        is_there = self.has_class("-code-beside") or self.has_class("-code-below")
        if is_there or standing(self._row) not in _PAYABLE:
            return
        if self._code(self.size.width, self.size.height) is None:
            self.tell(self._why_no_code())
            return
        self._shows_code_alone = not self._shows_code_alone
        self._fit()

    def action_screen_up(self) -> None:
        """Scroll the words one screenful up."""
        self._words.scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll the words one screenful down."""
        self._words.scroll_page_down(animate=False)

    @property
    def _words(self) -> Widget:
        return self.query_one("#sale-end" if self.has_class("-over") else "#sale-facts")

    def action_copy_url(self) -> None:
        """Copy the payment's URL."""
        self.app.copy_to_clipboard(self._row.id)
        self.tell("Copied the payment's URL.")


def _time(row: PaymentRow, now: datetime) -> Content:
    if row.expires_at is None:
        return Content("")
    until = clock(row.expires_at, seconds=True)
    if row.expires_at <= now:
        return Content.styled(f"over since {until}", "bold")
    return Content.assemble(
        (f"{left(row.expires_at, now)} left", "bold"), (f", until {until}", "$muted")
    )


def _heights(rows: int, words: int) -> dict[str, int]:
    """Return how high each large text may be, so that what to do fits below it."""
    is_tall = rows >= _TALL
    amount = 8 if is_tall else 5 if rows >= _SMALL else 3
    if words > 1:
        return {
            "sale-amount": amount,
            "end-word": 7 if is_tall else 4,
            "end-amount": 5 if is_tall else 3,
        }
    return {"sale-amount": amount, "end-word": 11 if is_tall else 7, "end-amount": amount}
