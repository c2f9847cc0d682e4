"""Choosing the private key of a wallet: a file, one of opdash's own, a new one, or a pasted one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from opdash.errors import LockedKeyError
from opdash.keyfiles import looks_like_key
from opdash.openpayments.secrets import Secret
from opdash.paths import key_id_of, keys
from opdash.service.client_keys import KeyOnDisk, make_key, read_public_key, take_key
from opdash.tui.widgets.form_field import FormField, Note

PAUSE = 0.5
"""Seconds without a keystroke before a key file is read."""

_HINT = "PEM, or paste the key itself. F3 makes a new one."


class KeyInput(Input):
    """The path of a key file; a key that is pasted into it is taken, and never shown."""

    @dataclass
    class Pasted(Message):
        """A key was pasted."""

        text: Secret

    def _on_paste(self, event: events.Paste) -> None:
        if looks_like_key(event.text):
            event.prevent_default()
            event.stop()
            self.post_message(self.Pasted(Secret(event.text)))
        else:
            super()._on_paste(event)


class KeyPicker(Vertical):
    """The fields that name a private key.

    Attributes:
        key: The key that can be used, or None.
        passphrase: What opened it, or None.
    """

    @dataclass
    class Changed(Message):
        """Another key can be used from now on, or none."""

        key: KeyOnDisk | None

    def __init__(self, data_dir: Path, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._data_dir = data_dir
        self._pasted: Secret | None = None
        self._pause: Timer | None = None
        self.key: KeyOnDisk | None = None
        self.passphrase: Secret | None = None

    def compose(self) -> ComposeResult:
        """Yield the fields; the passphrase only appears for a key that has one."""
        own = keys(self._data_dir)
        only = own[0] if len(own) == 1 else None
        others = f" {len(own)} are here already: F6 takes the next." if len(own) > 1 else ""
        yield FormField(
            "Key file",
            KeyInput(str(only or ""), placeholder="path of a private Ed25519 key", compact=True),
            hint=_HINT + others,
            id="key-file",
        )
        yield FormField(
            "Passphrase",
            Input(placeholder="of the key file", password=True, compact=True),
            hint="opdash keeps it nowhere, and asks again at each start.",
            id="passphrase",
        )
        yield FormField(
            "Key id",
            Input(
                key_id_of(only) if only else "",
                placeholder="the key's id at the provider (kid)",
                compact=True,
            ),
            id="key-id",
        )

    def on_mount(self) -> None:
        """Look at the key that is there already."""
        self._show_passphrase(needed=False)
        if self._text("key-file"):
            self._read()

    @property
    def is_waiting(self) -> bool:
        """Whether something was typed that has not been looked at yet."""
        return self._pause is not None

    # What is typed

    @on(Input.Changed, "#key-file Input")
    def _file_typed(self) -> None:
        text = self._text("key-file")
        if looks_like_key(text):  # a terminal that does not tell pasting from typing
            with self.prevent(Input.Changed):
                self.query_one("#key-file Input", Input).value = ""
            self._take(Secret(text))
            return
        self._pasted = None
        self._show_passphrase(needed=False)
        self._typed()

    @on(Input.Changed, "#key-id Input")
    @on(Input.Changed, "#passphrase Input")
    def _typed(self) -> None:
        self._set(None)
        self._field("key-file").say()
        self._stop_pause()
        self._pause = self.set_timer(PAUSE, self._read)

    @on(KeyInput.Pasted)
    def _key_pasted(self, message: KeyInput.Pasted) -> None:
        message.stop()
        with self.prevent(Input.Changed):
            self.query_one("#key-file Input", Input).value = ""
        self._take(message.text)

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    # Where keys come from

    def look_again(self) -> None:
        """Read the key file once more."""
        self._set(None)
        self._read()

    def take_next(self) -> None:
        """Name the next of the keys that opdash has already."""
        own = [str(path) for path in keys(self._data_dir)]
        if not own:
            self._field("key-file").say("There is no key yet; F3 makes one.", Note.WARN)
            return
        named = self._text("key-file")
        following = own.index(named) + 1 if named in own else 0
        chosen = own[following % len(own)]
        self._pasted = None
        self._show_passphrase(needed=False)
        self._fill_in(chosen, key_id_of(Path(chosen)))
        self._set(None)
        self._read()

    def make(self) -> None:
        """Make a new private key."""
        self._stop_pause()
        self._set(None)
        self._field("key-file").say("Making a key …", Note.WAIT)
        self._make()

    def _take(self, text: Secret) -> None:
        self._stop_pause()
        self._set(None)
        self._pasted = text
        self._field("key-file").say("Taking the key that was pasted …", Note.WAIT)
        self._take_pasted(text)

    def _read(self) -> None:
        self._stop_pause()
        if self._pasted is not None:
            self._take_pasted(self._pasted)
        elif self._text("key-file"):
            path = Path(self._text("key-file")).expanduser()
            self._read_file(path, self._text("key-id") or key_id_of(path))

    @work(group="key", exclusive=True, exit_on_error=False)
    async def _read_file(self, path: Path, key_id: str) -> None:
        passphrase = self._typed_passphrase()
        try:
            key = await read_public_key(path, key_id, passphrase)
        except Exception as error:
            self._failed(error, passphrase)
            return
        self._found(key, passphrase, "The key can be used.")

    @work(group="key", exclusive=True, exit_on_error=False)
    async def _take_pasted(self, text: Secret) -> None:
        passphrase = self._typed_passphrase()
        try:
            key = await take_key(self._data_dir, text, self._text("key-id"), passphrase)
        except Exception as error:
            self._failed(error, passphrase)
            return
        self._pasted = None
        self._fill_in(str(key.file), self._text("key-id") or key.key_id)
        self._found(key, passphrase, "Kept in a file of its own; only you can read it.")

    @work(group="key", exclusive=True, exit_on_error=False)
    async def _make(self) -> None:
        try:
            key = await make_key(self._data_dir)
        except Exception as error:
            self._field("key-file").say_error(error)
            return
        self._pasted = None
        self._show_passphrase(needed=False)
        self._fill_in(str(key.file), key.key_id)
        self._found(key, None, "Made just now; only you can read it.")

    def _found(self, key: KeyOnDisk, passphrase: Secret | None, sentence: str) -> None:
        if not self._text("key-id"):
            self._fill_in(self._text("key-file"), key.key_id)
        self._field("key-file").say(sentence, Note.GOOD)
        self._field("passphrase").say()
        self.passphrase = passphrase
        self._set(key)

    def _failed(self, error: Exception, passphrase: Secret | None) -> None:
        if not isinstance(error, LockedKeyError):
            self._field("key-file").say_error(error)
            return
        self._show_passphrase(needed=True)
        if passphrase is None:
            self._field("key-file").say("It has a passphrase: type it below.", Note.WARN)
        else:
            self._field("key-file").say()
            self._field("passphrase").say("That passphrase does not open it.", Note.BAD)

    def _set(self, key: KeyOnDisk | None) -> None:
        if key != self.key:
            self.key = key
            self.post_message(self.Changed(key))

    def _fill_in(self, file: str, key_id: str) -> None:
        with self.prevent(Input.Changed):
            self.query_one("#key-file Input", Input).value = file
            self.query_one("#key-id Input", Input).value = key_id

    def _show_passphrase(self, *, needed: bool) -> None:
        field = self._field("passphrase")
        if not needed:
            with self.prevent(Input.Changed):
                field.query_one(Input).value = ""
        field.display = needed

    def _typed_passphrase(self) -> Secret | None:
        field = self._field("passphrase")
        typed = field.query_one(Input).value
        return Secret(typed) if field.display and typed else None

    def _field(self, name: str) -> FormField:
        return self.query_one(f"#{name}", FormField)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name} Input", Input).value.strip()
