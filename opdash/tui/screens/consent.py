"""Waiting for the account holder's consent, which is given in a browser."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.style import Style
from textual.widgets import Static

from opdash.qr import SMALL_QUIET, QrCode, fitting_code, qr_code
from opdash.safetext import safe_text
from opdash.service.events import ConsentEnded, ConsentNeeded, ConsentNoted, Event
from opdash.settings import ConsentWay
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.qr import QrView

LEAST_FACTS, MOST_FACTS = 46, 62
"""Columns that the words need beside a code, and that they take where there is room."""

_FRAME = Size(6, 4)
"""Columns and rows of the dialog around what it holds, and between words and code."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")

HERE = (
    "Press o to open it in the browser on this machine, which then comes back to opdash. "
    "For a phone or another machine, press p."
)
ANYWHERE = "Open it in any browser, also on a phone; opdash asks the server every few seconds."


class ConsentScreen(OpdashModal[None]):
    """Shows where to consent, and closes when the wait is over."""

    PLACE = Place.CONSENT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.CONSENT)
    CSS_PATH = sheets("modals", "consent")

    def __init__(self, request: ConsentNeeded) -> None:
        super().__init__()
        self.request = request
        self._is_asking_anew = False
        self._shows_code_alone = False

    def compose(self) -> ComposeResult:
        """Lay the words beside the code."""
        with Vertical(classes="dialog"):
            with Horizontal(id="consent-body"):
                with Vertical(id="consent-facts"):
                    yield Static("Your consent is needed", classes="dialog-title", markup=False)
                    yield Static(id="consent-purpose", classes="dialog-text", markup=False)
                    yield Static(id="consent-url", markup=False)
                    yield Static(id="consent-wait", markup=False)
                    yield Static(id="consent-note", classes="dialog-text", markup=False)
                    yield Static(id="consent-how", classes="dialog-text", markup=False)
                yield QrView(id="consent-code")
            yield KeyLine(Place.CONSENT)

    def on_mount(self) -> None:
        """Count the time down."""
        self._note("")
        self._show()
        self.set_interval(1.0, self._wait)

    def on_resize(self) -> None:
        """Look anew what there is room for."""
        self._fit()

    def on_click(self, event: Click) -> None:
        """Open the address that is clicked."""
        if event.widget is self.query_one("#consent-url"):
            self.action_open_page()

    def hear(self, event: Event) -> None:
        """Follow this wait, and close when it is over."""
        match event:
            case ConsentNeeded() if self._is_ours(event.profile, event.number):
                self.request, self._is_asking_anew = event, False
                self._show()
            case ConsentNoted() if self._is_ours(event.profile, event.number):
                self._note(event.sentence)
            case ConsentEnded() if self._is_ours(event.profile, event.number):
                self.dismiss(None)
            case _:
                pass

    def _is_ours(self, profile: str, number: int) -> bool:
        return (profile, number) == (self.request.profile, self.request.number)

    # What is shown

    def _show(self) -> None:
        self.query_one("#consent-purpose", Static).update(self._purpose())
        self.query_one("#consent-url", Static).update(_address(self.request.url))
        self._fit()
        self._wait()

    def _purpose(self) -> Content:
        request = self.request
        purpose = safe_text(request.purpose, limit=120)
        lines = [
            f"opdash asks to {purpose} of {safe_text(self._title(), limit=60)}:",
            *(f"· {safe_text(right, limit=120)}" for right in request.rights),
            "The account holder decides at this address.",
        ]
        if not request.rights:
            lines[0] = lines[0][:-1] + "."
        return Content("\n".join(lines))

    def _title(self) -> str:
        for profile in self.dashboard.profiles:
            if profile.name == self.request.profile:
                return profile.title
        return self.request.profile

    def _wait(self) -> None:
        left = self.request.left(self.dashboard.clock.now())
        words = "Asking anew …" if self._is_asking_anew else f"Waiting for the answer · {left} left"
        self.query_one("#consent-wait", Static).update(f"◌ {words}")

    def _note(self, sentence: str) -> None:
        note = self.query_one("#consent-note", Static)
        note.display = bool(sentence)
        note.update(safe_text(sentence, limit=300))

    # The code

    def _fit(self) -> None:
        """Choose where the code is drawn, and say what else there is to know."""
        if not self.is_mounted:
            return
        room = self.size
        beside = self._code(room.width - _FRAME.width - LEAST_FACTS, room.height - _FRAME.height)
        alone = self._code(room.width, room.height)
        if alone is None or beside is not None:
            self._shows_code_alone = False
        self.set_class(self._shows_code_alone, "-code-alone")
        self.set_class(beside is not None, "-code-beside")
        if beside is not None:
            facts = min(room.width - _FRAME.width - beside.width, MOST_FACTS)
            self.query_one("#consent-facts").styles.width = facts
            self.query_one(".dialog").styles.width = facts + beside.width + _FRAME.width
        else:
            for selector in ("#consent-facts", ".dialog"):
                self.query_one(selector).styles.clear_rule("width")
        self.query_one("#consent-facts").styles.max_height = room.height - _FRAME.height
        can_zoom = alone is not None and beside is None
        self.query_one(KeyLine).set_off(*([] if can_zoom else ["zoom_code"]))
        self.query_one(QrView).draw(alone if self._shows_code_alone else beside)
        self.query_one("#consent-how", Static).update(self._how(beside, alone))

    def _code(self, width: int, height: int) -> QrCode | None:
        if self.request.way is ConsentWay.REDIRECT:
            return None
        return fitting_code(self.request.url, width, height)

    def _how(self, beside: QrCode | None, alone: QrCode | None) -> str:
        sentences = [safe_text(self.request.remark, limit=200)] if self.request.remark else []
        if self.opdash.demo:
            sentences.append("In the demo nobody has to: consent comes by itself in a few seconds.")
        if self.request.way is ConsentWay.REDIRECT:
            return " ".join([*sentences, HERE])
        sentences.append(ANYWHERE)
        if urlsplit(self.request.url).hostname in _LOOPBACK:
            sentences.append("This one is on this machine alone: a phone does not reach it.")
        if beside is None:
            sentences.append(
                "Press z for the QR code; it takes the whole screen."
                if alone is not None
                else self._why_no_code()
            )
        return " ".join(sentences)

    def _why_no_code(self) -> str:
        least = qr_code(self.request.url, SMALL_QUIET)
        if least is None:
            return "The address is too long for a QR code."
        room = self.size
        return (
            f"The QR code takes {least.width} columns and {least.height} rows, and this terminal "
            f"has {room.width} and {room.height}: make it larger, or its letters smaller."
        )

    # What a person does

    def action_open_page(self) -> None:
        """Open the address in the browser on this machine."""
        url = self.request.url

        async def work() -> None:
            from opdash.service.browsers import open_page

            if not await open_page(url):
                self.tell(
                    "No browser could be started here.",
                    "Copy the address with y, and open it where there is one.",
                    severity="warning",
                )

        self.opdash.background(work, "browser")
        self.tell("Opening the address in your browser.")

    def action_copy_consent_url(self) -> None:
        """Copy the address."""
        self.app.copy_to_clipboard(self.request.url)
        self.tell("Copied the address. Open it in a browser.")

    def action_change_way(self) -> None:
        """Ask anew: for the browser on this machine, or for any browser."""
        was_redirect = self.request.way is ConsentWay.REDIRECT
        way = ConsentWay.POLLING if was_redirect else ConsentWay.REDIRECT
        self._is_asking_anew = True
        self._wait()
        session = self.dashboard.session(self.request.profile)
        session.change_consent_way(self.request.number, way)

    def action_zoom_code(self) -> None:
        """Draw the code on the whole screen, or go back to the words."""
        room = self.size
        if self.has_class("-code-beside"):
            return
        if self._code(room.width, room.height) is None:
            is_redirect = self.request.way is ConsentWay.REDIRECT
            self.tell(
                "A phone cannot come back to this machine. Press p first."
                if is_redirect
                else self._why_no_code()
            )
            return
        self._shows_code_alone = not self._shows_code_alone
        self._fit()

    def action_stop_waiting(self) -> None:
        """Withdraw the request."""
        self.dashboard.session(self.request.profile).abandon_consent(self.request.number)

    def action_hide(self) -> None:
        """Go back to the words, or stop showing this; the wait goes on."""
        if self._shows_code_alone:
            self._shows_code_alone = False
            self._fit()
            return
        self.tell("opdash still waits for consent. Press C to see where it is given.")
        self.dismiss(None)


def _address(url: str) -> Content:
    """Return an address with its host set off, as a terminal's link."""
    before, host, after = safe_text(url).partition(safe_text(urlsplit(url).netloc))
    can_link = url.isascii() and url.isprintable()
    link = Style(link=url if can_link else None)
    return Content.assemble((before, "$muted"), (host, "bold $primary"), after).stylize(link)
