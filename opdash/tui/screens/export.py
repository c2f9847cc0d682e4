"""The form that writes what is shown to a file for bookkeepers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from opdash.errors import OpdashError
from opdash.exports.accounts import recall
from opdash.exports.destinations import FileDestination
from opdash.exports.exporting import Marks, export
from opdash.exports.formats import FORMATS
from opdash.exports.records import Exported, ExportWallet, FormatName, Wanted
from opdash.exports.telling import told, warnings
from opdash.exports.turns import in_turn
from opdash.ledger.reader import LedgerReader
from opdash.paths import here, typed_path
from opdash.periods import PeriodError, read_period
from opdash.safetext import safe_text
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note

if TYPE_CHECKING:
    from opdash.ledger.search.terms import Query

_FORMATS = tuple(FORMATS)
_LABELS = ("CSV", "JSONL", "hledger", "beancount", "OFX", "camt")
_LONGEST_QUERY = 60


class ExportScreen(FormScreen[None]):
    """Asks for format, period and file, writes it, and tells rows and totals.

    Args:
        session: Whose payments are written.
        query: What they are filtered by, or None for all.
    """

    PLACE = Place.EXPORT
    CSS_PATH = sheets("modals", "forms", "export")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.EXPORT)
    AUTO_FOCUS = "#format ChoiceLine"

    def __init__(self, session: WalletSession, query: Query | None) -> None:
        super().__init__()
        self._session = session
        self._query = query
        self._stop: Callable[[], None] | None = None
        self._is_writing = False
        self._may_replace = ""

    # Layout

    def title_content(self) -> Content:
        """Return what is exported."""
        title = safe_text(self._session.profile.title, limit=40)
        if self._query is None:
            return Content.assemble((f"Export {title}", "bold"), ("  all payments", "$muted"))
        shown = safe_text(self._query.text.strip(), limit=_LONGEST_QUERY)
        return Content.assemble((f"Export {title}", "bold"), (f"  {shown}", "$muted"))

    def compose_body(self) -> ComposeResult:
        """Yield the fields, and room for the result."""
        yield FormField("Format", ChoiceLine(*_LABELS), hint=_title(_FORMATS[0]), id="format")
        yield FormField(
            "Period",
            Input(placeholder="always", compact=True, max_length=40),
            hint="Such as 2026-10, last month, 2026-10-01..2026-10-15 or today.",
            id="period",
        )
        yield FormField(
            "Entries",
            ChoiceLine("all", "new since the last time"),
            id="entries",
        )
        yield FormField(
            "File",
            Input(
                _short(here() / f"opdash-{_plain(self._session.profile.name)}.csv"),
                compact=True,
                select_on_focus=False,
            ),
            hint="Only you can read it.",
            id="file",
        )
        yield Static(id="result", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Export", id="write", variant="primary", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Leave no room for a result that is not there yet."""
        self.query_one("#result").display = False

    # What is typed

    @property
    def _format(self) -> FormatName:
        return _FORMATS[self.query_one("#format ChoiceLine", ChoiceLine).index]

    @property
    def _typed_file(self) -> Input:
        return self.query_one("#file Input", Input)

    @on(ChoiceLine.Changed, "#format ChoiceLine")
    def _format_chosen(self) -> None:
        """Say what the format is, and let the file's name end as its files do."""
        self.query_one("#format", FormField).say(_title(self._format))
        name, dot, end = self._typed_file.value.rpartition(".")
        if dot and f".{end}" in [info.suffix for info in FORMATS.values()]:
            self._typed_file.value = f"{name}{FORMATS[self._format].suffix}"
        self._say_nothing()

    @on(ChoiceLine.Changed, "#entries ChoiceLine")
    def _entries_chosen(self) -> None:
        new = self.query_one("#entries ChoiceLine", ChoiceLine).index
        said = "Since this was last done with the same format, filter and period." if new else ""
        self.query_one("#entries", FormField).say(said)
        self._say_nothing()

    @on(Input.Changed, "#file Input")
    def _file_typed(self) -> None:
        self.query_one("#file", FormField).say()
        self._say_nothing()

    @on(Input.Changed, "#period Input")
    def _period_typed(self) -> None:
        self.query_one("#period", FormField).say()
        self._say_nothing()

    def _wanted(self) -> Wanted | None:
        """Return what the form says; None, and a sentence, where it cannot be read."""
        session, now = self._session, self._session.now()
        wallet_id = session.wallet_id
        if wallet_id is None:
            self.outcome.say("The wallet address is not known yet.", Note.BAD)
            return None
        field = self.query_one("#period", FormField)
        typed = self.query_one("#period Input", Input).value.strip()
        try:
            period = read_period(typed, now) if typed else None
        except PeriodError as error:
            field.say_error(error)
            return None
        names = recall(self.dashboard.data_dir, self._format)
        return Wanted(
            format=self._format,
            wallets=(ExportWallet(session.profile.name, wallet_id, session.profile.scope),),
            now=now,
            query=self._query,
            period=period,
            since_last=bool(self.query_one("#entries ChoiceLine", ChoiceLine).index),
            names=names,
        )

    def _destination(self) -> FileDestination | None:
        """Return the file that is meant; None, and a sentence, where there can be none."""
        field, typed = self.query_one("#file", FormField), self._typed_file.value.strip()
        if not typed or "\0" in typed:
            field.say("Type the file's name.", Note.BAD)
            return None
        path = typed_path(typed)
        try:
            FileDestination(path, overwrite=True)
            if path.exists() and self._may_replace != str(path):
                self._may_replace = str(path)
                field.say("This file exists. Ctrl+S once more replaces it.", Note.WARN)
                return None
            # Where it did not exist, another program may make it meanwhile.
            return FileDestination(path, overwrite=self._may_replace == str(path))
        except OpdashError as error:
            field.say_error(error)
            return None

    # Writing

    def action_write_file(self) -> None:
        """Write the file, and tell what it holds."""
        if self._is_writing:
            return
        wanted = self._wanted()
        destination = self._destination()
        if wanted is not None and destination is not None:
            self._is_writing = True
            self._say_nothing()
            self.outcome.say("Writing …", Note.WAIT)
            self._write(wanted, destination)

    @work(group="export", exit_on_error=False)
    async def _write(self, wanted: Wanted, destination: FileDestination) -> None:
        is_alone = True
        try:
            with ExitStack() as stack:
                if wanted.since_last:
                    turn = in_turn(self.dashboard.reader.path, self._say_waiting)
                    await asyncio.to_thread(stack.enter_context, turn)
                exported, marks = await asyncio.to_thread(self._export, wanted, destination)
                for wallet_id, (before, mark) in marks.moves.items():
                    is_alone &= await self.dashboard.mark_export(
                        wallet_id, marks.kind, mark, before
                    )
        except OpdashError as error:
            self.outcome.say_error(error)
            return
        finally:
            self._is_writing = False
            self._stop = None
        self._may_replace = ""
        self._show(exported)
        if not is_alone:
            self.tell(
                "Another export of this kind was made at the same time, with the same rows.",
                severity="warning",
            )

    def _say_waiting(self) -> None:
        """Tell, from another thread, why nothing is written yet."""
        words = "Another opdash exports what is new just now; this one begins when that has ended."
        self.app.call_from_thread(self.outcome.say, words, Note.WAIT)

    def _export(self, wanted: Wanted, destination: FileDestination) -> tuple[Exported, Marks]:
        """Write the file, on a thread of its own."""
        with LedgerReader.open(self.dashboard.reader.path) as reader:
            self._stop = reader.interrupt
            return export(reader, wanted, destination)

    def _show(self, exported: Exported) -> None:
        """Tell rows, totals and file."""
        lines = list(told(exported))
        about = list(warnings(exported))
        good = lines[: len(lines) - len(about)]
        content = Content("\n").join(
            [Content(line) for line in good]
            + [Content.assemble(("! ", "$attention"), line) for line in about]
        )
        result = self.query_one("#result", Static)
        result.update(content)
        result.display = True
        missing = exported.left_out or not exported.is_complete
        result.set_class(bool(missing), "-missing")
        if missing:
            self.outcome.say("Written; something is missing, as told above.", Note.WARN)
        else:
            self.outcome.say("Written.", Note.GOOD)
        self.call_after_refresh(result.scroll_visible, animate=False)

    def _say_nothing(self) -> None:
        """Take the last result back: something else is asked for."""
        self.query_one("#result").display = False
        self.outcome.say()

    # Leaving

    def action_leave(self) -> None:
        """Leave, and stop what is being written."""
        if self._stop is not None:
            self._stop()
        self.dismiss(None)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_write_file()

    @on(Button.Pressed, "#write")
    def _write_pressed(self) -> None:
        self.action_write_file()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def _title(kind: FormatName) -> str:
    return f"{FORMATS[kind].title}."


def _plain(name: str) -> str:
    """Return a wallet's name as part of a file's name."""
    return "".join(one if one.isalnum() else "-" for one in name).strip("-") or "wallet"


def _short(path: Path) -> str:
    """Write a path as people do, from their home directory on."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
