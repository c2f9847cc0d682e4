"""The app: themes, the way between screens, and the one ear for what the service announces."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual.app import App
from textual.binding import BindingType
from textual.constants import DEFAULT_THEME
from textual.message import Message
from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.theme import Theme

from opdash.errors import LedgerError, OpdashError
from opdash.ledger.records import Change, Scope
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.service.events import (
    CaughtUp,
    ConsentEnded,
    ConsentNeeded,
    ConsentNoted,
    Event,
    PaymentsChanged,
    SettingsNoted,
)
from opdash.service.session import WalletSession
from opdash.settings import Profile, Settings
from opdash.tui.actions import Place, bindings
from opdash.tui.announcements import NEXT_WAY, WAY_WORDS, Ringer, sentences
from opdash.tui.failures import run_in_background, told
from opdash.tui.screens.base import _Shared
from opdash.tui.stylesheets import sheets
from opdash.tui.themes import DARK, THEMES, other_theme, theme_named
from opdash.tui.typing_ahead import CarriedOut, Typed, TypingAhead
from opdash.tui.widgets.reading import caught_up_words

if TYPE_CHECKING:
    from pathlib import Path

    from textual.await_complete import AwaitComplete
    from textual.command import Provider
    from textual.driver import Driver
    from textual.events import Event as TextualEvent

_LOG = logging.getLogger(__name__)

_FONT_FACE = r"(?s)\s*@font-face \{.*?\}"

_BREATH = 0.03
"""Seconds that the terminal has for the first frame before anything else is begun."""

_TOAST_SECONDS = 6.0
_ERROR_SECONDS = 12.0


def _registry_commands() -> type[Provider]:
    from opdash.tui.commands import RegistryCommands

    return RegistryCommands


def _first_profile(settings: Settings) -> str:
    """Return the profile to begin with, or an empty string where a person has to choose."""
    names = [profile.name for profile in settings.profiles]
    default = settings.default_profile.casefold()
    chosen = [name for name in names if name.casefold() == default] or names
    return chosen[0] if len(chosen) == 1 else ""


class Example(msgspec.Struct, frozen=True):
    """An outgoing payment for a demonstration to show.

    Attributes:
        profile: The profile of the wallet that sent it.
        url: Its URL.
    """

    profile: str
    url: str


class OpdashApp(App[None], inherit_css=False):
    """The terminal dashboard.

    Args:
        dashboard: The service, not started; the app starts it after its first paint and stops it
            when it ends.
        demo: Whether no money is real, which every screen then says.
        example: Finds an outgoing payment to show in a demonstration; called on a thread.
        invoices: Makes a file of invoices to show in a demonstration; called on a thread.
        wallet: The profile to begin with; unless given the default one, or the only one.
        begin: Opens another screen over the first, once that is painted.
    """

    TITLE = "opdash"
    COMMANDS: ClassVar[set[Any]] = {_registry_commands}
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.ANYWHERE)

    DEFAULT_CSS = """
    OpdashApp {
        background: $background;
        color: $foreground;
    }
    """

    _themed = False

    class Heard(Message):
        """The service announced something."""

    def __init__(
        self,
        dashboard: Dashboard,
        *,
        demo: bool = False,
        wallet: str = "",
        example: Callable[[], Example | None] | None = None,
        invoices: Callable[[], Path | None] | None = None,
        begin: Callable[[OpdashApp], None] = lambda _: None,
    ) -> None:
        first = wallet or _first_profile(dashboard.settings)
        # Textual loads no sheets for the screen that it begins with.
        super().__init__(css_path=sheets("base", "payments" if first else "wallets"))
        self.dashboard = dashboard
        self.demo = demo
        self._first = first
        self._example = example
        self._invoices = invoices
        self._begin = begin
        self._heard: deque[Event] = deque()
        self._questions: dict[tuple[str, int], ConsentNeeded] = {}
        self._untold: dict[str, list[Change]] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._ringer = Ringer(dashboard, self._to_terminal)
        self._typing_ahead = TypingAhead(self, super().on_event)
        self.failure: LedgerError | None = None
        """Why there is nothing to show after all: the ledger cannot be written."""
        for theme in THEMES:
            self.register_theme(theme)
        self._begin_with(theme_named(dashboard.settings.theme))

    def _begin_with(self, theme: Theme) -> None:
        """Take a theme before anything is styled; set later, it has all sheets parsed anew."""
        self.set_reactive(App.theme, theme.name)
        self.remove_class("-dark-mode", "-light-mode", f"-theme-{DEFAULT_THEME}", update=False)
        self._themed = True
        mode = "-dark-mode" if theme.dark else "-light-mode"
        self.add_class(mode, f"-theme-{theme.name}", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    # Beginning and end

    def get_default_screen(self) -> Screen[Any]:
        """Return the first screen: the payments of one wallet, or the choice of wallets."""
        if self._first:
            return self._payments_screen(self.dashboard.session(self._first))
        from opdash.tui.screens.wallets import WalletsScreen

        return WalletsScreen()

    def on_mount(self) -> None:
        """Listen to the service, and start it once the first frame is painted."""
        self._unsubscribe = self.dashboard.events.subscribe(self._hear)
        self.after_first_frame(self, self._first_painted)

    def after_first_frame(self, node: MessagePump, then: Callable[[], object]) -> None:
        """Call something once the first frame is painted and has reached the terminal.

        It is written on a thread that would have to wait for what comes next.
        """
        if self.is_headless:
            node.call_after_refresh(then)
        else:
            node.call_after_refresh(node.set_timer, _BREATH, then)

    def _first_painted(self) -> None:
        if not gc.isenabled():  # whoever started opdash put this off until now
            gc.freeze()
            gc.enable()
            sys.setswitchinterval(0.005)  # as it is usually
        self._load_sheets("widgets", "payments_parts")
        self.background(self._start, "start")
        self._begin(self)

    def _load_sheets(self, *names: str) -> None:
        for path in sheets(*names):
            if not self.stylesheet.has_source(str(path), ""):
                self.stylesheet.read(path)
        self.stylesheet.update(self)

    async def _start(self) -> None:
        try:
            await self.dashboard.start()
        except LedgerError as error:
            self.failure = error
            self.exit(return_code=error.exit_code)

    async def on_unmount(self) -> None:
        """End the service."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self.dashboard.stop()

    async def example_outgoing(self) -> Example | None:
        """Return an outgoing payment to show in a demonstration, or None."""
        return None if self._example is None else await asyncio.to_thread(self._example)

    async def example_invoices(self) -> Path | None:
        """Return a file of invoices to show in a demonstration, or None."""
        return None if self._invoices is None else await asyncio.to_thread(self._invoices)

    # What Textual would do otherwise

    async def on_event(self, event: TextualEvent) -> None:
        """Hand an event on; what is typed goes key by key."""
        if isinstance(event, Typed) and not event.is_forwarded:
            await self._typing_ahead.take(event)
        else:
            await super().on_event(event)

    def on_carried_out(self, message: CarriedOut) -> None:
        """Take the next key, once the focus has moved where the last one wanted it."""
        self.call_later(self._typing_ahead.carried_out, message.number)

    def get_driver_class(self) -> type[Driver]:
        """Return the driver: one that knows when its terminal is gone."""
        from textual.drivers.linux_driver import LinuxDriver

        usual = super().get_driver_class()
        if usual is not LinuxDriver:
            return usual
        from opdash.tui.terminal import TerminalDriver

        return TerminalDriver

    def _fatal_error(self) -> None:
        """End after a mistake of opdash's own, without showing what variables held."""
        _LOG.exception("The screen met a fault")
        self.bell()
        self._exit_renderables.append(
            "opdash failed through a mistake of its own. Nothing in the ledger is lost.\n"
            "Run it again with --debug to see where."
        )
        self._close_messages_no_wait()

    def action_help_quit(self) -> None:
        """Say how to leave to somebody who pressed Ctrl+C."""
        self.tell("Press q to leave opdash.")

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text, unless pasting it could do more than show it."""
        if text.isprintable():
            super().copy_to_clipboard(text)
        else:
            self.tell(
                "Not copied: the server sent characters that could act when they are pasted.",
                severity="warning",
            )

    def copy_lines(self, text: str) -> None:
        """Copy a text of several lines that opdash made safe itself."""
        if all(line.isprintable() for line in text.splitlines()):
            super().copy_to_clipboard(text)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Return the screen as an SVG that loads nothing from another server."""
        drawn = super().export_screenshot(title=title, simplify=simplify)
        return re.sub(_FONT_FACE, "", drawn)

    # What the service announces

    def _hear(self, event: Event) -> None:
        self._heard.append(event)
        if len(self._heard) == 1:
            self.post_message(self.Heard())

    def on_opdash_app_heard(self) -> None:
        """Hand on everything that was announced since the last time."""
        if not self.is_running:
            return  # the screens are being taken down
        events = list(self._heard)
        self._heard.clear()
        for event in events:
            self._take(event)
            for screen in self.screen_stack:
                if isinstance(screen, _Shared) and screen.is_mounted:
                    screen.hear(event)

    def _take(self, event: Event) -> None:
        match event:
            case PaymentsChanged():
                untold = [one for one in event.changes if not self._takes_over(one)]
                self.tell_news(event.wallet_id, untold)
            case ConsentNeeded():
                is_new = (event.profile, event.number) not in self._questions
                self._questions[event.profile, event.number] = event
                if is_new:
                    self._show_question(event)
            case CaughtUp():
                several = len(self.dashboard.profiles) > 1
                title = self.dashboard.settings.profile(event.profile).title if several else ""
                self.tell(caught_up_words(event.payments, title))
            case ConsentEnded():
                self._questions.pop((event.profile, event.number), None)
                severity: SeverityLevel = "information" if event.granted else "warning"
                self.tell(event.sentence, event.advice, severity=severity)
            case SettingsNoted():
                self.tell(event.sentence, severity="warning")
            case ConsentNoted() if (event.profile, event.number) not in self._questions:
                self.tell(event.sentence)
            case _:
                pass

    def action_show_consent(self) -> None:
        """Show the question for consent that waits, the oldest first."""
        if not self._questions:
            self.tell("opdash waits for nobody's consent.", "Where it was not given, r asks again.")
            return
        self._show_question(next(iter(self._questions.values())))

    def _show_question(self, question: ConsentNeeded) -> None:
        from opdash.tui.screens.consent import ConsentScreen

        self.push_screen(ConsentScreen(question))

    def _takes_over(self, change: Change) -> bool:
        shared = [screen for screen in self.screen_stack if isinstance(screen, _Shared)]
        return any(screen.takes_over(change) for screen in shared)

    def tell_news(self, wallet_id: str, changes: Sequence[Change]) -> None:
        """Tell of payments that came in, and ring as a person likes it.

        While a dialog is open only the ring is heard; the sentences wait for its end.
        """
        elsewhere = self._elsewhere(wallet_id)
        if not sentences(changes, elsewhere):
            return
        self._untold.setdefault(wallet_id, []).extend(one for one in changes if one.announce)
        self._tell_untold()
        self._ring(wallet_id, changes, elsewhere)

    def _tell_untold(self) -> None:
        """Tell of the payments that came in, unless that would lie over what a person works at."""
        if isinstance(self.screen, _Shared) and self.screen.HOLDS_NEWS:
            return
        untold, self._untold = self._untold, {}
        for wallet_id, changes in untold.items():
            for sentence in sentences(changes, self._elsewhere(wallet_id)):
                self.tell(sentence)

    def pop_screen(self) -> AwaitComplete:
        """Go back to the screen below, and tell there what the one above held up."""
        popped = super().pop_screen()
        if self._untold:  # another dialog may follow at once
            self.call_after_refresh(self._tell_untold)
        return popped

    def ring(self, wallet_id: str, change: Change) -> None:
        """Ring for a payment of which a screen tells by itself, as a person likes it."""
        self._ring(wallet_id, [change], self._elsewhere(wallet_id))

    def _ring(self, wallet_id: str, changes: Sequence[Change], elsewhere: str) -> None:
        self.background(lambda: self._ringer.ring(wallet_id, changes, elsewhere), "ring")

    def _to_terminal(self, sequence: str) -> bool:
        """Write past what is drawn; return whether there is a terminal."""
        if sequence == "\a":
            self.bell()
        elif self.is_headless or self._driver is None:
            return False
        else:
            self._driver.write(sequence)
        return True

    def _elsewhere(self, wallet_id: str) -> str:
        """Return the name of the wallet that an event is about, unless it is on the screen."""
        sessions = [self.dashboard.session(profile.name) for profile in self.dashboard.profiles]
        whole = [screen for screen in self.screen_stack if not isinstance(screen, ModalScreen)]
        shown = getattr(whole[-1], "session", None) if whole else None
        return next(
            (
                session.profile.title
                for session in sessions
                if session.wallet_id == wallet_id and session is not shown
            ),
            "",
        )

    def get_css_variables(self) -> dict[str, str]:
        """Return what the style sheets name; nothing before the theme is known."""
        return super().get_css_variables() if self._themed else {}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return what the style sheets name, should another theme be set."""
        return DARK.variables

    # Between the screens

    def show_payments(self, profile_name: str) -> None:
        """Show a wallet address's payments; only the screen that opdash began with stays below."""
        try:
            session = self.dashboard.session(profile_name)
        except OpdashError as error:
            self.tell_failure(error)
            return
        self._drop_screens()
        if getattr(self.screen, "session", None) is not session:
            self.push_screen(self._payments_screen(session))

    def show_wallets(self) -> None:
        """Show the choice of wallets, from which no way leads back."""
        from opdash.tui.screens.wallets import WalletsScreen

        self._drop_screens()
        if not isinstance(self.screen, WalletsScreen):
            self.push_screen(WalletsScreen())

    def show_grants(self, profile: str) -> None:
        """Show the grants and tokens of all wallets, those of one first."""
        from opdash.tui.screens.grants import GrantsScreen

        self.push_screen(GrantsScreen(profile))

    def show_doctor(self, profile_name: str) -> None:
        """Examine what is between opdash and a wallet."""
        from opdash.tui.screens.doctor import DoctorScreen

        try:
            profile = self.dashboard.settings.profile(profile_name)
        except OpdashError as error:
            self.tell_failure(error)
            return
        self.push_screen(DoctorScreen(profile))

    def action_inspector(self) -> None:
        """Show the last requests."""
        from opdash.tui.screens.inspector import InspectorScreen

        self.push_screen(InspectorScreen())

    def show_scope(self, profile_name: str) -> None:
        """Ask which of a wallet's payments to see, and see them from then on."""
        from opdash.tui.screens.scope import ScopeScreen

        try:
            profile = self.dashboard.settings.profile(profile_name)
        except OpdashError as error:
            self.tell_failure(error)
            return

        def chosen(scope: Scope | None) -> None:
            if scope is not None:
                # Consent may take minutes; the person may be anywhere by then.
                self.background(lambda: self._change_scope(profile, scope), "scope")

        self.push_screen(ScopeScreen(profile), chosen)

    async def _change_scope(self, profile: Profile, scope: Scope) -> None:
        from opdash.tui.widgets.header import SCOPE_WORDS

        told = await self.dashboard.grants.change_scope(profile.name, scope)
        self.tell(f"{profile.title} shows {SCOPE_WORDS[scope]} from now on.")
        if told is not None and told.failure is not None:
            self.tell(told.sentence, severity="warning")

    def _drop_screens(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _payments_screen(self, session: WalletSession) -> Screen[Any]:
        from opdash.tui.screens.payments import PaymentsScreen

        return PaymentsScreen(session)

    # What works everywhere

    def tell(
        self, sentence: str, advice: str = "", *, severity: SeverityLevel = "information"
    ) -> None:
        """Show a sentence for a moment; it is never read as markup."""
        text = safe_text(f"{sentence} {advice}".strip(), limit=600)
        seconds = _ERROR_SECONDS if severity == "error" else _TOAST_SECONDS
        self.notify(text, severity=severity, timeout=seconds, markup=False)

    def background(self, work: Callable[[], Awaitable[object]], group: str) -> None:
        """Await something that outlives a screen; a failure becomes a sentence."""
        run_in_background(self, work, group, self.tell_failure)

    def tell_failure(self, error: Exception) -> None:
        """Show what went wrong and what to do, unless an event has told it."""
        if not (isinstance(error, OpdashError) and error.is_told):
            self.tell(*told(error), severity="error")

    def action_help(self) -> None:
        """Show the keys of the screen that is there."""
        self.show_help(self.screen.PLACE if isinstance(self.screen, _Shared) else Place.ANYWHERE)

    def show_help(self, place: Place) -> None:
        """Show the keys of a place."""
        from opdash.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(place))

    def action_toggle_theme(self) -> None:
        """Change between dark and light, and remember it."""
        theme = other_theme(self.theme)
        self.theme = theme.name
        name = theme.name.removeprefix("opdash-")
        self.background(lambda: self.dashboard.save_theme(name), "save-theme")

    def action_change_notices(self) -> None:
        """Go to the next way of telling that a payment came in, and remember it."""
        way = NEXT_WAY[self.dashboard.settings.notify]

        async def save() -> None:
            await self.dashboard.save_notify(way)
            self.tell(WAY_WORDS[way])

        self.background(save, "save-notify")

    def on_app_focus(self) -> None:
        """Poll at full speed again."""
        self._focus(active=True)

    def on_app_blur(self) -> None:
        """Poll less often while nobody looks."""
        self._focus(active=False)

    def _focus(self, *, active: bool) -> None:
        for profile in self.dashboard.profiles:
            self.dashboard.session(profile.name).focus(active)
