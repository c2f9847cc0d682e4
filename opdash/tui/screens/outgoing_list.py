"""The outgoing payments of a wallet address, as far as its server and the grant show them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from opdash.ledger.outgoing import OutgoingState, SeenOutgoing, look_again_after
from opdash.ledger.records import PaymentRow
from opdash.service.events import Event, OutgoingChanged, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.wallet_ways import known_payment, open_incoming, session_at
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.header import OUTGOING_WORDS
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line, Span, cut, spread
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.outgoing_rows import outgoing_lines, verdict_of
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.session_header import SessionHeader
from opdash.tui.widgets.sheet import SheetView, row

_TICK = 1.0
_ROWS = 50
_MOST_PAGES = 20
_FRESH = timedelta(seconds=60)


class OutgoingListScreen(CursorActions, OpdashScreen[None]):
    """Lists what the ledger knows, and asks the server for what is new and what is older.

    Args:
        session: Whose outgoing payments.
        receiver: Show only those that pay this incoming payment, from the ledger alone.
    """

    PLACE = Place.OUTGOINGS
    CSS_PATH = sheets("outgoing_list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.OUTGOINGS)
    AUTO_FOCUS = "LineList"

    def __init__(self, session: WalletSession, *, receiver: str = "") -> None:
        super().__init__()
        self.session = session
        self._receiver = receiver
        self._page = 0
        self._count = 0
        self._rows: tuple[SeenOutgoing, ...] = ()
        self._receivers: dict[str, PaymentRow] = {}
        self._cursor: str | None = None
        self._has_more: bool | None = None
        self._look_at: datetime | None = None
        self._is_asking = False

    def compose(self) -> ComposeResult:
        """Place the list between its heading and what is said about it."""
        yield SessionHeader(self.session, lambda: OUTGOING_WORDS[self.session.may_list_outgoing])
        yield Notices()
        yield Rule(id="upper-rule")
        yield Line(id="heading")
        yield LineList()
        yield SheetView(id="empty")
        yield Rule(id="lower-rule")
        yield Line(id="status")
        yield KeyLine(Place.OUTGOINGS)

    def on_mount(self) -> None:
        """Show what is known, and ask for what is new."""
        self.set_interval(_TICK, self._tick)
        self._reload()
        if not self._receiver:
            self._ask()

    def on_resize(self) -> None:
        """Fit every line."""
        self.call_after_refresh(self._fill)

    def on_screen_resume(self) -> None:
        """Show what another screen may have learnt."""
        self._reload()

    def hear(self, event: Event) -> None:
        """Show what changed of the payments, or of what they pay."""
        if isinstance(event, OutgoingChanged) or (
            isinstance(event, PaymentsChanged)
            and any(change.payment.id in self._paid for change in event.changes)
        ):
            self._reload()

    def movable(self) -> LineList:
        """Return the list."""
        return self.query_one(LineList)

    # Reading

    @property
    def _paid(self) -> set[str]:
        return {seen.payment.receiver for seen in self._rows}

    @property
    def _selected(self) -> SeenOutgoing | None:
        name = self.movable().selected
        return next((seen for seen in self._rows if seen.payment.id == name), None)

    def _reload(self) -> None:
        if not self.is_mounted:
            return
        reader, wallet_id = self.dashboard.reader, self.session.wallet_id
        if self._receiver:
            self._rows = reader.paid_by(self._receiver)
            self._count = len(self._rows)
        elif wallet_id is not None:
            self._count = reader.outgoing_count(wallet_id)
            self._page = max(min(self._page, (self._count - 1) // _ROWS), 0)
            self._rows = reader.outgoing_window(wallet_id, self._page * _ROWS, _ROWS)
        found = {url: known_payment(self.dashboard, url) for url in self._paid}
        self._receivers = {url: one for url, one in found.items() if one is not None}
        self._fill()

    def _tick(self) -> None:
        self._fill()
        due = self._look_at is not None and self.session.now() >= self._look_at
        if due and not self._is_asking and self.session.may_list_outgoing:
            self._ask()

    def _moving(self) -> list[SeenOutgoing]:
        now = self.session.now()
        return [
            seen
            for seen in self._rows
            if verdict_of(seen, self._receivers, now).state is OutgoingState.SENDING
        ]

    # Asking

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _ask(self, *, older: bool = False) -> None:
        self._is_asking = True
        self._fill()
        problem = ""
        try:
            if older:
                await self._fetch_older()
            else:
                await self._fetch_head()
        except Exception as error:
            problem = " ".join(told(error)).strip()
        finally:
            self._is_asking = False
        if not self.is_mounted:
            return
        self.query_one(Notices).tell(problem, ())
        self._reload()
        self._plan_next_look(failed=bool(problem))
        self._fill()

    async def _fetch_head(self) -> None:
        before = self._known
        page = await self.session.outgoing_page()
        all_new = self._known - before == len(page.result)
        if self._cursor is None or all_new or not page.pagination.has_next_page:
            self._cursor = page.pagination.end_cursor
            self._has_more = page.pagination.has_next_page

    async def _fetch_older(self) -> None:
        if self._has_more is None:
            await self._fetch_head()
        wanted = (self._page + 1) * _ROWS
        for _ in range(_MOST_PAGES):
            if not self._has_more or self._known > wanted:
                break
            page = await self.session.outgoing_page(self._cursor)
            self._cursor = page.pagination.end_cursor or self._cursor
            self._has_more = page.pagination.has_next_page and bool(page.result)
        if self._known > wanted:
            self._page += 1
        else:
            self.tell("That is the oldest outgoing payment that the server lists.")

    @property
    def _known(self) -> int:
        wallet_id = self.session.wallet_id
        return 0 if wallet_id is None else self.dashboard.reader.outgoing_count(wallet_id)

    def _plan_next_look(self, *, failed: bool) -> None:
        """Look again by itself only while something moves; after a failure a person must ask."""
        now, moving = self.session.now(), self._moving()
        interval = timedelta(seconds=self.session.profile.poll_interval)
        if self._receiver or failed or not moving:
            self._look_at = None
            return
        waits = (
            look_again_after(seen.payment, now, interval, sent_changed_at=seen.sent_changed_at)
            for seen in moving
        )
        self._look_at = now + min(waits)

    # Showing

    def _fill(self) -> None:
        if not self.is_mounted:
            return
        now, width = self.session.now(), self.size.width
        table = self.movable()
        room = table.scrollable_content_region.width or width
        heading, entries = outgoing_lines(self._rows, self._receivers, now, room)
        self.query_one("#heading", Line).show(cut(heading, width))
        table.show(entries)
        table.display = bool(entries)
        if entries and self.focused is None:
            table.focus()
        empty = self.query_one("#empty", SheetView)
        empty.display = not entries
        asking = "asking the server …" if self._is_asking else "No outgoing payment is known yet."
        empty.show([row("", asking)])
        self.query_one("#status", Line).show(spread(self._status(now), self._age(now), width))
        off = ["open", "copy_url", "open_receiver"] if not entries else []
        chosen = self._selected
        if chosen is not None and chosen.payment.receiver not in self._receivers:
            off = ["open_receiver"]
        self.query_one(KeyLine).set_off(*off, *(["refresh"] if self._receiver else []))

    def _status(self, now: datetime) -> list[Span]:
        if self._receiver:
            return [Span(f" {fmt.count(self._count, 'outgoing payment')} seen to pay this one")]
        first = self._page * _ROWS
        spans = [Span(f" {fmt.count(self._count, 'outgoing payment')} known")]
        if self._count > _ROWS:
            last = min(first + _ROWS, self._count)
            spans.append(Span(f" · {first + 1:,}–{last:,}", "muted"))
        if self._has_more:
            spans.append(Span(" · the server has older ones", "muted"))
        if self._is_asking:
            spans.append(Span(" · asking …", "accent"))
        moving = len(self._moving())
        if moving and self._look_at is not None:
            left = max(self._look_at - now, timedelta(seconds=1))
            spans.append(Span(f" · {moving} moving, looks again in {fmt.age(left)}", "accent"))
        return spans

    def _age(self, now: datetime) -> list[Span]:
        chosen = self._selected
        if chosen is None:
            return [Span(" ")]
        old = now - chosen.last_seen_at
        tone = "muted" if old < _FRESH else "attention"
        return [Span(f"as of {fmt.relative(chosen.last_seen_at, now)}", tone), Span(" ")]

    def on_line_list_moved(self) -> None:
        """Tell how old the selected one is."""
        self._fill()

    # Keys

    def action_open(self) -> None:
        """Show all about the selected payment."""
        from opdash.tui.screens.outgoing import OutgoingScreen

        chosen = self._selected
        if chosen is not None:
            session = session_at(self.dashboard, chosen.wallet) or self.session
            self.app.push_screen(OutgoingScreen(session, chosen.payment.id))

    def action_open_receiver(self) -> None:
        """Open the incoming payment that the selected one pays."""
        chosen = self._selected
        if chosen is not None:
            open_incoming(self, chosen.payment.receiver)

    def action_copy_url(self) -> None:
        """Copy the selected payment's URL."""
        chosen = self._selected
        if chosen is not None:
            self.app.copy_to_clipboard(chosen.payment.id)
            self.tell("Copied the outgoing payment's URL.")

    def action_refresh(self) -> None:
        """Ask for the newest."""
        if not self._receiver and not self._is_asking:
            self._ask()

    def action_next_page(self) -> None:
        """Go to the next page, fetched if it is not known yet."""
        if (self._page + 1) * _ROWS < self._count:
            self._page += 1
            self._reload()
            self.movable().go_first()
        elif self._receiver or self._has_more is False:
            self.tell("There is no older one.")
        elif not self._is_asking:
            self._ask(older=True)

    def action_previous_page(self) -> None:
        """Go to the page before."""
        if self._page:
            self._page -= 1
            self._reload()
            self.movable().go_first()

    def action_outgoing(self) -> None:
        """Look up a payment by its URL."""
        from opdash.tui.screens.outgoing import OutgoingScreen

        self.app.push_screen(OutgoingScreen(self.session))

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
