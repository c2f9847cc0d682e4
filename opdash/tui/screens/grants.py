"""The grants and tokens that opdash holds, what they permit, and giving them back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from opdash.errors import OpdashError
from opdash.service.events import Event
from opdash.service.grant_office import GrantView
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.give_back import GiveBackScreen, Kind
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.grant_facts import entry_name, grant_entries, grant_entry
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, spread
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.sheet import SheetView
from opdash.tui.widgets.wallet_list import WalletList

_TICK = 1.0
_WIDE = 110


class GrantsScreen(CursorActions, OpdashScreen[None]):
    """All grants of all profiles, held or not, with the selected one in full.

    Args:
        profile: The profile whose grant is selected first.
    """

    PLACE = Place.GRANTS
    CSS_PATH = sheets("wallets", "grants")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.GRANTS)
    AUTO_FOCUS = "WalletList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - as Textual has it

    def __init__(self, profile: str = "") -> None:
        super().__init__()
        self._first = profile
        self._views: dict[str, GrantView] = {}

    def compose(self) -> ComposeResult:
        """Place the list, and the selected grant below or beside it."""
        yield Line(id="title")
        yield Notices()
        yield Rule(id="upper-rule")
        with Horizontal(id="body"):
            yield WalletList(selected=f"INCOMING {self._first}")
            with VerticalScroll(id="grant"):
                yield SheetView()
        yield Rule(id="lower-rule")
        yield KeyLine(Place.GRANTS)

    def on_mount(self) -> None:
        """Show what is held, and count down."""
        self._fill()
        self.set_interval(_TICK, self._fill)

    def on_resize(self) -> None:
        """Fit every line."""
        self._fill()

    def hear(self, _event: Event) -> None:
        """Show what changed."""
        self._fill()

    def on_screen_resume(self) -> None:
        """Show what a question may have changed."""
        self._fill()

    # Filling

    def _fill(self) -> None:
        now = self.dashboard.clock.now()
        views = self.dashboard.grants.views()
        self._views = {entry_name(view): view for view in views}
        self._list.show([grant_entry(view, now) for view in views])
        held = sum(view.is_held for view in views)
        left = [Span(" opdash", "accent"), GAP, Span("Grants and tokens", "strong")]
        right = [Span(fmt.count(held, "grant"), "muted"), Span(" ")]
        self.query_one("#title", Line).show(spread(left, right, self.size.width))
        self._fill_selected()

    def _fill_selected(self) -> None:
        view = self._selected
        if view is None:
            return
        now, brief = self.dashboard.clock.now(), self.size.width < _WIDE
        self.query_one(SheetView).show(grant_entries(view, now, brief=brief))
        self.query_one(Notices).tell(self.dashboard.grants.problem(view.profile), ())
        off = [] if view.is_held else ["revoke", "cancel_grant"]
        off += [] if view.can_cancel else ["cancel_grant"]
        self.query_one(KeyLine).set_off(*off)

    @property
    def _list(self) -> WalletList:
        return self.query_one(WalletList)

    @property
    def _selected(self) -> GrantView | None:
        return self._views.get(self._list.selected)

    def movable(self) -> WalletList:
        """Return the list."""
        return self._list

    def on_wallet_list_moved(self) -> None:
        """Show the grant under the cursor."""
        self._fill_selected()

    # Actions

    def action_switch_pane(self) -> None:
        """Change between the list and the grant, which can be longer than its place."""
        grant = self.query_one("#grant")
        (self._list if grant.has_focus else grant).focus()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_renew(self) -> None:
        """Exchange the token, or ask for the grant."""
        view = self._selected
        if view is None:
            return

        async def renew() -> None:
            await self.dashboard.grants.renew(view.profile, view.right)
            self.opdash.tell("The token is renewed." if view.is_held else "opdash has the grant.")
            self._fill()

        # Consent may take minutes; the person may have left this screen by then.
        self.opdash.background(renew, f"renew {entry_name(view)}")

    def action_revoke(self) -> None:
        """Ask whether to revoke the token."""
        self._give_back(Kind.ONE)

    def action_cancel_grant(self) -> None:
        """Ask whether to end the grant."""
        view = self._selected
        if view is not None and view.is_held and not view.can_cancel:
            self.tell(
                "The server did not say how to end this grant.",
                "Revoke its token with d instead.",
                severity="warning",
            )
            return
        self._give_back(Kind.GRANT)

    def action_sign_out(self) -> None:
        """Ask whether to give all grants of the wallet back."""
        self._give_back(Kind.ALL)

    def _give_back(self, kind: Kind) -> None:
        view = self._selected
        if view is None:
            return
        if kind is not Kind.ALL and not view.is_held:
            self.tell("There is no grant to give back.", severity="warning")
            return
        self.app.push_screen(GiveBackScreen(view, kind), lambda _done: self._fill())

    def action_keep_tokens(self) -> None:
        """Keep the wallet's tokens for the next start, or in memory only."""
        view = self._selected
        if view is None:
            return
        try:
            profile = self.dashboard.settings.profile(view.profile)
        except OpdashError as error:
            self.tell_error(error)
            return
        keeps = not profile.keep_tokens

        async def keep() -> None:
            await self.dashboard.grants.set_keeping(view.profile, keeps)
            where = "are kept for the next start" if keeps else "stay in memory only"
            self.opdash.tell(f"The tokens of {profile.title} {where} from now on.")
            self._fill()

        self.background(keep, "keep-tokens")

    def action_doctor(self) -> None:
        """Find out what is wrong between opdash and the selected wallet."""
        view = self._selected
        if view is not None:
            self.opdash.show_doctor(view.profile)

    def action_scope(self) -> None:
        """Choose what the selected wallet's grant shows."""
        view = self._selected
        if view is not None:
            self.opdash.show_scope(view.profile)
