"""What can be chosen about a wallet besides its address and key; most people leave it as it is."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from opdash.errors import InputError
from opdash.ledger.records import Scope
from opdash.openpayments.addresses import parse_wallet_address
from opdash.paths import typed_path
from opdash.settings import POLL_INTERVAL_BOUNDS, AccessLevel, Profile
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note

_SCOPES = (Scope.OWN, Scope.EVERYTHING)
_ACCESS = (AccessLevel.FULL, AccessLevel.READ_ONLY)


class WalletOptions(Vertical):
    """Client, scope, access, poll interval and certificates."""

    class CertificatesChanged(Message):
        """Other certificates are to be trusted."""

    def compose(self) -> ComposeResult:
        """Yield the fields."""
        yield FormField(
            "Client",
            Input(placeholder="the same address", compact=True),
            hint="Whose jwks.json serves the key; empty: the same address.",
            id="client",
        )
        yield FormField(
            "See",
            ChoiceLine("what opdash creates", "everything"),
            hint="Everything takes the account holder's consent; S changes it later.",
            id="scope",
        )
        yield FormField("Access", ChoiceLine("create and complete, too", "read only"), id="access")
        yield FormField(
            "Poll every",
            Input("5", compact=True),
            hint="Seconds; 5 is usual.",
            id="poll-interval",
        )
        yield FormField(
            "CA file",
            Input(placeholder="the system's certificates", compact=True),
            hint="Certificates to trust instead; for servers of your own.",
            id="ca-file",
        )

    @property
    def ca_file(self) -> Path | None:
        """The certificates to trust, or None for the system's."""
        text = self._text("ca-file")
        return typed_path(text) if text else None

    @property
    def has_wrong(self) -> bool:
        """Whether something cannot be used."""
        return any(field.is_wrong for field in self.query(FormField))

    def applied_to(self, profile: Profile) -> Profile:
        """Return a profile with what was chosen; nothing of it is wrong."""
        client = self._text("client")
        return replace(
            profile,
            client_wallet_address=parse_wallet_address(client) if client else "",
            scope=_SCOPES[self.query_one("#scope ChoiceLine", ChoiceLine).index],
            access=_ACCESS[self.query_one("#access ChoiceLine", ChoiceLine).index],
            poll_interval=float(self._text("poll-interval")),
            ca_file=self.ca_file,
        )

    @on(Input.Changed, "#client Input")
    def _client_typed(self) -> None:
        field = self.query_one("#client", FormField)
        try:
            if self._text("client"):
                parse_wallet_address(self._text("client"))
        except InputError as error:
            field.say_error(error)
            return
        field.say()

    @on(Input.Changed, "#poll-interval Input")
    def _interval_typed(self) -> None:
        low, high = POLL_INTERVAL_BOUNDS
        try:
            fits = low <= float(self._text("poll-interval")) <= high
        except ValueError:
            fits = False
        field = self.query_one("#poll-interval", FormField)
        if fits:
            field.say()
        else:
            field.say(f"A number of seconds from {low:g} to {high:g}.", Note.BAD)

    @on(Input.Changed, "#ca-file Input")
    def _certificates_typed(self) -> None:
        field, path = self.query_one("#ca-file", FormField), self.ca_file
        if path is not None and not path.is_file():
            field.say("There is no such file.", Note.BAD)
            return
        field.say()
        self.post_message(self.CertificatesChanged())

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name} Input", Input).value.strip()
