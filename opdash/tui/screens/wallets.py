"""Choosing among the wallet addresses, adding one, removing one."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from opdash.errors import OpdashError
from opdash.ledger.records import WalletRow
from opdash.safetext import safe_text
from opdash.service.events import Event
from opdash.settings import Profile
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.wallet_ways import WalletWays
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.header import steady
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, spread
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.wallet_list import WalletEntry, WalletList

_NARROW = 110


class WalletsScreen(WalletWays, CursorActions, OpdashScreen[None]):
    """The configured wallet addresses.

    Args:
        current: The profile whose payments were on the screen, or an empty string.
    """

    PLACE = Place.WALLETS
    CSS_PATH = sheets("wallets")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.WALLETS)
    AUTO_FOCUS = "WalletList"

    def __init__(self, *, current: str = "") -> None:
        super().__init__()
        self._current = current

    def compose(self) -> ComposeResult:
        """Place the list, and what is said when it is empty."""
        yield Line(id="title")
        yield Notices()
        yield Rule(id="upper-rule")
        yield Static(_nothing_yet(), id="empty")
        yield WalletList(selected=self._current or self.dashboard.settings.default_profile)
        yield Rule(id="lower-rule")
        yield KeyLine(Place.WALLETS)

    def on_mount(self) -> None:
        """Show what is known, and keep the clock's words true."""
        self._fill()
        self.set_interval(1.0, self._fill)

    def on_resize(self) -> None:
        """Fit every line."""
        self._fill()

    def hear(self, _event: Event) -> None:
        """Show what changed."""
        self._fill()

    def on_screen_resume(self) -> None:
        """Show what another screen may have changed."""
        self._fill()

    def _fill(self) -> None:
        profiles = self.dashboard.profiles
        wallets = self._wallets()
        entries = [self._entry(profile, wallets) for profile in profiles]
        self.query_one(WalletList).show(entries)
        self.query_one(WalletList).display = bool(profiles)
        self.query_one("#empty").display = not profiles
        keys = self.query_one(KeyLine)
        keys.set_off(
            *([] if profiles else ["choose", "remove_wallet"]), *([] if self._current else ["back"])
        )
        number = Span(fmt.count(len(profiles), "wallet address", "wallet addresses"), "muted")
        left = [Span(" opdash", "accent"), GAP, Span("Wallet addresses", "strong")]
        self.query_one("#title", Line).show(spread(left, [number, Span(" ")], self.size.width))

    def _wallets(self) -> dict[str, WalletRow]:
        try:
            found = self.dashboard.reader.wallets()
        except Exception as error:
            self.query_one(Notices).tell(" ".join(told(error)).strip(), ())
            return {}
        self.query_one(Notices).tell("", ())
        return {wallet.address: wallet for wallet in found}

    def _entry(self, profile: Profile, wallets: dict[str, WalletRow]) -> WalletEntry:
        session = self.dashboard.session(profile.name)
        row = wallets.get(session.wallet_id or profile.wallet_address)
        asset = [] if row is None else [GAP, Span(fmt.asset_code(row.asset))]
        connection = freshness(
            session.status,
            session.now(),
            timedelta(seconds=profile.poll_interval),
            last_known_at=None if row is None else row.last_poll_at,
            short=self.size.width < _NARROW,
        )
        return WalletEntry(
            name=profile.name,
            first=(Span(safe_text(profile.title, limit=40), "strong"), *asset),
            first_right=tuple(steady(connection, self.size.width)),
            second=(Span(fmt.short_address(profile.wallet_address), "muted"),),
            second_right=tuple(_totals(row, session.status.problem)),
        )

    @property
    def _list(self) -> WalletList:
        return self.query_one(WalletList)

    def on_wallet_list_chosen(self, message: WalletList.Chosen) -> None:
        """Open an entry that was clicked twice."""
        self._choose(message.name)

    def wallet_in_view(self) -> str:
        """Return the name of the selected profile."""
        return self._list.selected

    def _choose(self, name: str) -> None:
        if name and name == self._current:
            self.app.pop_screen()
        elif name:
            self.opdash.show_payments(name)

    def action_choose(self) -> None:
        """Show the payments of the selected wallet address."""
        self._choose(self._list.selected)

    def action_back(self) -> None:
        """Go back to the payments, if they were there."""
        if self._current:
            self.app.pop_screen()

    def action_add_wallet(self) -> None:
        """Add a wallet address."""
        from opdash.tui.screens.add_wallet import AddWalletScreen

        def added(profile: Profile | None) -> None:
            self._fill()
            if profile is not None:
                self._list.select(profile.name)

        self.app.push_screen(AddWalletScreen(self.dashboard), added)

    def action_remove_wallet(self) -> None:
        """Remove the selected wallet address, after asking."""
        from opdash.tui.screens.remove_wallet import RemoveWalletScreen

        name = self._list.selected
        if not name:
            return
        try:
            profile = self.dashboard.settings.profile(name)
        except OpdashError as error:
            self.tell_error(error)
            return
        self.app.push_screen(
            RemoveWalletScreen(self.dashboard, profile), lambda done: self._removed(name, done)
        )

    def action_replace_key(self) -> None:
        """Replace the selected wallet's key."""
        from opdash.tui.screens.replace_key import ReplaceKeyScreen

        if self._list.selected:
            self.app.push_screen(ReplaceKeyScreen(self._list.selected))

    def action_grants(self) -> None:
        """Show the grants, those of the selected wallet address first."""
        self.opdash.show_grants(self._list.selected)

    def action_doctor(self) -> None:
        """Find out what is wrong between opdash and the selected wallet."""
        if self._list.selected:
            self.opdash.show_doctor(self._list.selected)

    def action_scope(self) -> None:
        """Choose what is seen of the selected wallet address."""
        if self._list.selected:
            self.opdash.show_scope(self._list.selected)

    def _removed(self, name: str, removed: bool | None) -> None:
        if removed and name == self._current:
            self.opdash.show_wallets()
        else:
            self._fill()

    def movable(self) -> WalletList:
        """Return the list."""
        return self._list


def _totals(row: WalletRow | None, problem: str) -> list[Span]:
    if row is None:
        return [Span(safe_text(problem, limit=60) or "nothing known yet", "muted")]
    due = fmt.number(row.open_due, row.asset.scale)
    received = fmt.number(row.received_total, row.asset.scale)
    return [
        Span("open ", "muted"),
        Span(f"{row.open_count:,}"),
        Span(f" · {due} due   ", "muted"),
        Span("received ", "muted"),
        Span(received),
    ]


def _nothing_yet() -> Content:
    return Content.assemble(
        ("No wallet address yet.", "bold"),
        "\n\n",
        "Press ",
        ("a", "bold $primary"),
        " to add one. You need its address, such as https://wallet.example/alice "
        "or $wallet.example/alice, and a key that its provider knows.",
        "\n\n",
        "Only looking? Leave with ",
        ("q", "bold $primary"),
        " and run ",
        ("opdash demo", "bold"),
        ": a made-up wallet with money arriving, no account needed.",
    )
