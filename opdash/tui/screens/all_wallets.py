"""All wallets at once: payments in one list, totals by asset, how each server stands."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import AssetTotals, WalletRow
from opdash.safetext import safe_text
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.merged_rows import MergedRows
from opdash.tui.reading_thread import OutdatedError, ReadingThread
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.wallet_ways import session_at
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.asset_totals import add_up, beside, total_lines
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.header import SHORT_SCOPE_WORDS
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, cut, spread
from opdash.tui.widgets.merged_list import MergedList
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.span_lines import SpanLines

_TICK = 1.0
_LEAST_ROWS = 8
_AROUND = 6
"""Lines that are neither figures nor rows: title, rules, heading, keys."""

_REST = 10
"""How many times longer than adding up takes, the figures then stay as they are."""

_WIDE = 110
_SCOPE = max(map(len, SHORT_SCOPE_WORDS.values()))

_Known = dict[str, tuple[int, tuple[AssetTotals, ...]]]
"""What payments add up to by wallet address, each with the revision of which that is true."""


class AllWalletsScreen(CursorActions, OpdashScreen[None]):
    """Shows what the ledger knows of all wallets, whether their servers answer or not."""

    PLACE = Place.ALL_WALLETS
    CSS_PATH = sheets("all_wallets")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.ALL_WALLETS)
    AUTO_FOCUS = "MergedList"

    def __init__(self) -> None:
        super().__init__()
        self._rows: MergedRows | None = None
        self._version = -1
        self._totals: _Known = {}
        self._thread: ReadingThread | None = None
        self._is_adding = False
        self._add_not_before = 0.0

    def compose(self) -> ComposeResult:
        """Place figures and connections above the payments."""
        yield Line(id="title")
        yield Notices()
        yield Rule()
        yield SpanLines(id="figures")
        yield Rule()
        yield Line(id="heading")
        yield MergedList()
        yield KeyLine(Place.ALL_WALLETS)

    def on_mount(self) -> None:
        """Show what is known, and follow what happens."""
        self._thread = ReadingThread(self.dashboard.reader.path, "opdash-totals")
        self.set_interval(_TICK, self._tick)
        self._reload()

    def on_unmount(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def on_resize(self) -> None:
        """Fit every line."""
        self.call_after_refresh(self._fill)

    def on_screen_resume(self) -> None:
        """Show what another screen may have changed."""
        self._reload()

    def hear(self, event: Event) -> None:
        """Show what changed."""
        if isinstance(event, PaymentsChanged):
            self._reload()
        else:
            self._fill()

    def movable(self) -> MergedList:
        """Return the list."""
        return self.query_one(MergedList)

    # Reading

    def _tick(self) -> None:
        if self._changed():
            self._reload()
        else:
            self._fill()
        self.movable().tick(self.dashboard.clock.now())

    def _changed(self) -> bool:
        """Return whether anything was committed, by whomever, or a wallet came or went."""
        known = () if self._rows is None else self._rows.wallets
        return self.dashboard.reader.version() != self._version or known != self._wallet_ids()

    def _wallet_ids(self) -> tuple[str, ...]:
        found = (session.wallet_id for session in self._sessions())
        return tuple(dict.fromkeys(wallet for wallet in found if wallet is not None))

    def _sessions(self) -> list[WalletSession]:
        return [self.dashboard.session(profile.name) for profile in self.dashboard.profiles]

    def _reload(self) -> None:
        if not self.is_mounted:
            return
        reader, wallets = self.dashboard.reader, self._wallet_ids()
        try:
            self._version = reader.version()
            if self._rows is None or self._rows.wallets != wallets:
                self._rows = MergedRows(reader, wallets)
            self._rows.reload()
            self.movable().show(self._rows, self._titles(), self.dashboard.clock.now())
        except OpdashError as error:
            self.query_one(Notices).tell(" ".join(told(error)).strip(), ())
            return
        self.query_one(Notices).tell("", ())
        self._fill()

    def _titles(self) -> dict[str, str]:
        return {
            session.wallet_id: safe_text(session.profile.title, limit=40)
            for session in reversed(self._sessions())
            if session.wallet_id is not None
        }

    def _add_up(self) -> None:
        """Add up on a thread what has changed, now and then."""
        if self._is_adding or self.dashboard.clock.monotonic() < self._add_not_before:
            return
        revisions = {
            wallet: self.dashboard.reader.revision(wallet) for wallet in self._wallet_ids()
        }
        stale = [
            wallet
            for wallet, revision in revisions.items()
            if wallet not in self._totals or self._totals[wallet][0] != revision
        ]
        self._totals = {
            wallet: self._totals[wallet] for wallet in self._totals if wallet in revisions
        }
        if stale:
            self._is_adding = True
            self.background(lambda: self._read_totals(stale), "totals")

    async def _read_totals(self, wallets: list[str]) -> None:
        thread, clock = self._thread, self.dashboard.clock
        if thread is None:
            return
        began = clock.monotonic()
        try:
            found = await thread.read(thread.current, lambda reader: _totals_of(reader, wallets))
        except OutdatedError:
            return
        finally:
            self._is_adding = False
            took = clock.monotonic() - began
            self._add_not_before = began + (1 + _REST) * took
        self._totals |= found
        self._fill()

    # Showing

    def _fill(self) -> None:
        if not self.is_mounted or self._rows is None:
            return
        width = self.size.width
        try:
            rows = {row.address: row for row in self.dashboard.reader.wallets()}
            self._add_up()
        except OpdashError as error:
            self.query_one(Notices).tell(" ".join(told(error)).strip(), ())
            return
        wallets = self._wallet_ids()
        ours = [rows[wallet] for wallet in wallets if wallet in rows]
        shown = beside(self._total_lines(ours), self._connection_lines(rows), width)
        self.query_one("#figures", SpanLines).show(self._fitting(shown))
        number = fmt.count(self._rows.count, "payment")
        left = [Span(" opdash", "accent"), GAP, Span("All wallets", "strong"), GAP]
        of = fmt.count(len(self.dashboard.profiles), "wallet")
        left.append(Span(f"{number} of {of}", "muted"))
        right = [Span(self._shown_words(width), "muted"), Span(" ")]
        self.query_one("#title", Line).show(spread(left, right, width))
        table = self.movable()
        self.query_one("#heading", Line).show(cut(table.heading(table.size.width), width))
        nothing = table.selected is None
        self.query_one(KeyLine).set_off(*(["open", "copy_url", "show_wallet"] if nothing else []))

    def on_merged_list_moved(self) -> None:
        """Write the heading where the columns stand now."""
        self._fill()

    def _shared_scope(self) -> str:
        """Return the scope that all wallets have; empty where each line has to say its own."""
        scopes = {profile.scope for profile in self.dashboard.profiles}
        return SHORT_SCOPE_WORDS[scopes.pop()] if len(scopes) == 1 else ""

    def _shown_words(self, width: int) -> str:
        scope = self._shared_scope()
        unfiltered = "" if scope and width < _WIDE else "unfiltered"
        return " · ".join(part for part in ("newest first", unfiltered, scope) if part)

    def _total_lines(self, wallets: list[WalletRow]) -> list[list[Span]]:
        if any(row.address not in self._totals for row in wallets):
            return [[Span(" adding up…", "accent")]]
        totals = [one for row in wallets for one in self._totals[row.address][1]]
        lines = total_lines(add_up(totals, wallets), self.size.width)
        return lines or [[Span(" No payments yet.", "muted")]]

    def _connection_lines(self, rows: dict[str, WalletRow]) -> list[list[Span]]:
        sessions = self._sessions()
        titles = [safe_text(session.profile.title, limit=24) for session in sessions]
        widest = max(map(len, titles), default=0)
        lines = []
        for session, title in zip(sessions, titles, strict=True):
            row = rows.get(session.wallet_id or session.profile.wallet_address)
            asset = "" if row is None else fmt.asset_code(row.asset)
            connection = freshness(
                session.status,
                session.now(),
                timedelta(seconds=session.profile.poll_interval),
                last_known_at=None if row is None else row.last_poll_at,
                short=True,
            )
            named = [Span(f" {title:<{widest}}  "), Span(f"{asset:<4} ", "muted")]
            if not self._shared_scope():
                scope = SHORT_SCOPE_WORDS[session.profile.scope]
                named.append(Span(f"{scope:<{_SCOPE}}  ", "muted"))
            lines.append([*named, *connection[:3]])
        return lines

    def _fitting(self, lines: list[list[Span]]) -> list[list[Span]]:
        """Leave room for payments; wallets that answer go first, those that do not are told."""
        room = max(self.size.height - _AROUND - _LEAST_ROWS, 2)
        if len(lines) <= room:
            return lines
        silent = sum(session.status.phase is not Phase.LIVE for session in self._sessions())
        words = f" and {len(lines) - room + 1} more; w shows every wallet"
        if silent:
            words += f" · {silent} not live"
        return [*lines[: room - 1], [Span(words, "attention" if silent else "muted")]]

    # Keys

    def on_merged_list_chosen(self, _: MergedList.Chosen) -> None:
        """Open a payment that was clicked twice."""
        self.action_open()

    def action_open(self) -> None:
        """Show all about the selected payment."""
        from opdash.tui.screens.detail import DetailScreen

        row = self.movable().selected
        session = None if row is None else session_at(self.dashboard, row.wallet)
        if row is not None and session is not None:
            self.app.push_screen(DetailScreen(session, row.id))

    def action_copy_url(self) -> None:
        """Copy the selected payment's URL."""
        row = self.movable().selected
        if row is not None:
            self.app.copy_to_clipboard(row.id)
            self.tell(f"Copied the URL of {fmt.payment_name(row)}.")

    def action_show_wallet(self) -> None:
        """Show the payments of the selected payment's wallet."""
        row = self.movable().selected
        session = None if row is None else session_at(self.dashboard, row.wallet)
        if session is not None:
            self.opdash.show_payments(session.profile.name)

    def action_refresh(self) -> None:
        """Ask all servers now."""
        for session in self._sessions():
            session.poll_soon()

    def action_wallets(self) -> None:
        """Choose among the wallet addresses."""
        self.opdash.show_wallets()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)


def _totals_of(reader: LedgerReader, wallets: list[str]) -> _Known:
    return {wallet: (reader.revision(wallet), reader.totals(wallet)) for wallet in wallets}
