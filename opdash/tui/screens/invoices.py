"""A file of invoices: which one, what its columns hold, and how amounts and dates are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from opdash.books.columns import REQUIRED, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.desk import Desk, Preview, Scene
from opdash.books.invoice_file import InvoiceFile
from opdash.books.last_files import LastFile, keep_last_file, last_file
from opdash.books.ledger_side import BookWallet
from opdash.books.sources import Source
from opdash.errors import InputError
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.pick import Choices, PickScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.column_lines import DATES, DELIMITERS, ENCODINGS, MARKS, Row, guess_lines
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line, Span, cut
from opdash.tui.widgets.row_list import RowList
from opdash.tui.widgets.rule import Rule

if TYPE_CHECKING:
    from opdash.ledger.search.terms import Query
    from opdash.tui.app import OpdashApp

_HINT: Final = "A CSV or JSON Lines file of invoices; ~ is your home directory. Enter reads it."
_MOST_PROBLEMS: Final = 3


def open_books(
    app: OpdashApp,
    profile: str,
    *,
    source: Source | None = None,
    query: Query | None = None,
    alone: bool = False,
) -> None:
    """Ask for a file of invoices and show it; a file whose columns were confirmed at once.

    Args:
        app: The app.
        profile: The wallet whose currency is the usual one, and whose last file is offered.
        source: A file that was named already.
        query: Which payments, or None for all.
        alone: Whether to begin with that wallet's payments only.
    """
    from opdash.tui.screens.review import ReviewScreen

    chosen = WalletChoice(app, profile, alone=alone)
    dashboard = app.dashboard
    desk = Desk(
        dashboard.reader.path, dashboard.data_dir, dashboard.clock, chosen.scene, query=query
    )

    def confirmed(is_so: bool | None) -> None:
        if is_so:
            app.push_screen(ReviewScreen(desk, chosen))
        else:
            desk.close()

    app.push_screen(InvoicesScreen(desk, profile, source, straight=True), confirmed)


class WalletChoice:
    """Whose payments a file is held against: those of one wallet after the other, or of all.

    Args:
        app: The app.
        profile: The wallet that comes first.
        alone: Whether to begin with it only.
    """

    def __init__(self, app: OpdashApp, profile: str, *, alone: bool = False) -> None:
        self._app = app
        self.first = profile
        self.only = profile if alone else ""

    @property
    def names(self) -> list[str]:
        """The profiles that are looked at, the first one first."""
        every = [one.name for one in self._app.dashboard.profiles]
        if self.only in every:
            return [self.only]
        return sorted(every, key=lambda name: name != self.first)

    def next(self) -> None:
        """Go on to the next wallet; after the last come all."""
        every = [one.name for one in self._app.dashboard.profiles]
        choices = ["", *sorted(every, key=lambda name: name != self.first)]
        place = choices.index(self.only) if self.only in choices else 0
        self.only = choices[(place + 1) % len(choices)]

    def scene(self) -> Scene:
        """Return what the file is held against now."""
        dashboard = self._app.dashboard
        sessions = [dashboard.session(name) for name in self.names]
        wallets = tuple(
            BookWallet(
                one.profile.name, one.wallet_id or one.profile.wallet_address, one.profile.scope
            )
            for one in sessions
        )
        return Scene(wallets, dashboard.settings.searches)

    @property
    def words(self) -> str:
        """Whose payments those are, for people."""
        names = self.names
        if len(names) == 1:
            profile = self._app.dashboard.settings.profile(names[0])
            return safe_text(profile.title, limit=32)
        return "all wallets"


class InvoicesScreen(CursorActions, OpdashScreen[bool]):
    """Asks for the file, shows what is guessed of it, and lets a person say otherwise.

    Ends with whether a file was taken up by the desk.

    Args:
        desk: Where the file goes.
        profile: Whose last file is offered.
        source: A file that was named already.
        straight: Whether a file whose columns were confirmed before is taken up without asking.
    """

    PLACE = Place.INVOICES
    CSS_PATH = sheets("forms", "books")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.INVOICES)
    AUTO_FOCUS = "#file Input"

    def __init__(
        self, desk: Desk, profile: str, source: Source | None = None, *, straight: bool = False
    ) -> None:
        super().__init__()
        self._desk = desk
        self._profile = profile
        self._source = source or desk.source
        self._given = source
        self._straight = straight
        self._preview: Preview | None = None
        self._rows: tuple[Row, ...] = ()
        self._encoding = ""
        self._delimiter = ""
        self._read_path = ""
        self._asked = 0
        self._skips_broken = False
        self._is_reading = False

    def compose(self) -> ComposeResult:
        """Place the file above its columns."""
        yield Line(id="title")
        yield FormField(
            "File", Input(placeholder="~/invoices.csv", compact=True), hint=_HINT, id="file"
        )
        yield Rule(id="upper-rule")
        yield Line(id="columns")
        yield RowList()
        yield Rule(id="lower-rule")
        yield NoteLine(id="outcome")
        yield KeyLine(Place.INVOICES)

    def on_mount(self) -> None:
        """Begin with the file that is there, or the last one."""
        self.query_one("#title", Line).show(
            [Span(" opdash", "accent"), Span("  "), Span("Invoices against payments", "strong")]
        )
        source = self._source
        if source is not None:
            self._encoding, self._delimiter = source.encoding, source.delimiter
            self._type(str(source.path))
            self._take_source(source)
            return
        last = last_file(self._desk.directory, self._profile)
        if last is not None:
            self._encoding, self._delimiter = last.encoding, last.delimiter
            self._type(last.path)
            self._read()
        else:
            self._fill()
            self.background(self._offer_example, "example")

    async def _offer_example(self) -> None:
        """In a demonstration there is a file at hand."""
        path = await self.opdash.example_invoices()
        if path is not None and not self._input.value:
            self._type(str(path))
            self._read()

    def on_resize(self) -> None:
        """Fit every line."""
        self.call_after_refresh(self._fill)

    def movable(self) -> RowList:
        """Return the columns."""
        return self.query_one(RowList)

    # The file

    @property
    def _input(self) -> Input:
        return self.query_one("#file Input", Input)

    def _type(self, path: str) -> None:
        with self.prevent(Input.Changed):
            self._input.value = path
            self._input.cursor_position = len(path)

    @on(Input.Changed)
    def _other_file(self) -> None:
        self._fill()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_go_on()

    @property
    def _is_read(self) -> bool:
        """Whether the file that is typed is the one that was read."""
        return self._source is not None and self._input.value.strip() == self._read_path

    def _read(self, *, otherwise: bool = False) -> None:
        """Read the file that is typed; the same one otherwise, its columns stay until it is."""
        typed = self._input.value.strip()
        if not typed:
            self.query_one("#file", FormField).say("Type where the file is.", Note.BAD)
            return
        self._read_path, self._preview = typed, None
        if not otherwise:
            self._source = None
        self._asked += 1
        self._is_reading = True
        self._fill()
        number = self._asked
        self.background(lambda: self._open(number, typed), "read")

    async def _open(self, number: int, typed: str) -> None:
        field = self.query_one("#file", FormField)
        path = _expanded(typed)
        try:
            source = await self._desk.open(path, encoding=self._encoding, delimiter=self._delimiter)
        except InputError as error:
            if number == self._asked:
                self._source = None
                field.say_error(error)
                self._input.focus()
        else:
            if number == self._asked:
                self._take_source(source)
        finally:
            self._end_reading(number)

    def _end_reading(self, number: int) -> None:
        """Let a person go on, whatever became of the reading, unless another one has begun."""
        if number == self._asked and self._is_reading:
            self._is_reading = False
            if self.is_attached:
                self.query_one("#outcome", NoteLine).say()
                self._fill()

    def _take_source(self, source: Source) -> None:
        self._source = source
        self._read_path = self._input.value.strip()
        self._skips_broken = False
        self._asked += 1
        self._is_reading = True
        number = self._asked
        self._fill()
        self.movable().focus()
        self.background(lambda: self._look(number, source), "preview")

    async def _look(self, number: int, source: Source) -> None:
        # An answer may come before this screen is mounted: it must not be thrown away then.
        try:
            preview = await self._desk.preview(source)
        except BaseException:
            if number == self._asked:
                self._preview = None
            self._end_reading(number)
            raise
        if number != self._asked:
            return
        self._preview = preview
        self._end_reading(number)
        self._say(source, preview)
        is_known = self._given is source and (source.is_remembered or source.said.says_anything)
        if self._straight and is_known and _is_fine(preview):
            await self._confirm()

    def _say(self, source: Source, preview: Preview) -> None:
        field, outcome = self.query_one("#file", FormField), self.query_one("#outcome", NoteLine)
        table = source.table
        rows = fmt.count(len(table.rows), "row")
        how = "read as you said before" if source.is_remembered else "guessed"
        header = "" if table.has_header else " · no header"
        sign = Note.GOOD if _is_fine(preview) else Note.HINT
        field.say(f"{rows}{header} · columns {how}", sign)
        if not self._desk_wallets:
            outcome.say("No wallet has ever answered, so no currency is known.", Note.WARN)
        elif preview.trouble:
            outcome.say(preview.trouble, Note.BAD)
        elif preview.file is not None and preview.file.problems:
            outcome.say(_problem_words(preview.file), Note.BAD)
        elif preview.file is not None:
            count = fmt.count(len(preview.file.invoices), "invoice")
            outcome.say(f"{count} can be read. Enter holds them against the payments.", Note.GOOD)

    @property
    def _desk_wallets(self) -> bool:
        return any(
            self.dashboard.session(profile.name).wallet_id is not None
            for profile in self.dashboard.profiles
        )

    # The columns

    def _fill(self) -> None:
        if not self.is_attached:
            return
        listed, source = self.movable(), self._source
        width = listed.room or self.size.width
        heading: Sequence[Span] = ()
        self._rows = ()
        if source is not None:
            heading, self._rows = guess_lines(source, self._preview, width)
        spans = {row.name: row.spans for row in self._rows}
        listed.show([row.name for row in self._rows], lambda name, _: spans[name])
        self.query_one("#columns", Line).show(cut(heading, self.size.width))
        if self._is_reading:
            self.query_one("#outcome", NoteLine).say("Reading …", Note.WAIT)
        elif source is None:
            self.query_one("#outcome", NoteLine).say()
        off = () if self._rows else ("step_forward", "choose", "guess_again")
        self.query_one(KeyLine).set_off(*off)

    @property
    def _selected(self) -> Row | None:
        name = self.movable().selected
        return next((row for row in self._rows if row.name == name), None)

    def action_step_forward(self) -> None:
        """Take the next column, mark or order."""
        self._step(1)

    def action_step_back(self) -> None:
        """Take the one before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        row = self._selected
        if row is not None and row.choices and self._source is not None:
            place = (row.chosen + by) % len(row.choices)
            self._change(row.name, place)

    def action_choose(self) -> None:
        """Choose from a list."""
        row = self._selected
        if row is None or self._source is None:
            return
        names = [str(number) for number in range(len(row.choices))]
        texts = dict(zip(names, row.choices, strict=True))

        def chosen(name: str | None) -> None:
            if name is not None:
                self._change(row.name, int(name))

        title = f"Which column holds: {row.name}" if row.name in [*Field] else row.name.capitalize()
        choices = Choices(names, lambda name: texts[name], lambda name: [Span(texts[name])])
        self.app.push_screen(PickScreen(title, choices, at=str(row.chosen)), chosen)

    def _change(self, name: str, place: int) -> None:
        source = self._source
        if source is None:
            return
        said = source.said
        if name in [*Field]:
            changed = source.with_column(Field(name), place - 1 if place else None)
        elif name == MARKS:
            changed = source.with_marks([None, *DecimalMark][place], said.dates)
        elif name == DATES:
            changed = source.with_marks(said.decimal, [None, *DateOrder][place])
        else:
            if name == ENCODINGS:
                self._encoding = self._choice_of(ENCODINGS, place)
            else:
                self._delimiter = self._choice_of(DELIMITERS, place)
            self._read(otherwise=True)
            return
        self._take_source(changed)

    def _choice_of(self, name: str, place: int) -> str:
        row = next(one for one in self._rows if one.name == name)
        return row.values[place]

    def action_guess_again(self) -> None:
        """Forget what was said of the file, and guess again."""
        from msgspec.structs import replace

        from opdash.books.invoice_file import guess_places
        from opdash.books.mappings import Reading

        source = self._source
        if source is None:
            return
        if source.encoding or source.delimiter:
            self._encoding = self._delimiter = ""
        table = source.table
        said, places = Reading(table.header), guess_places(table)
        self._take_source(replace(source, said=said, places=places, is_remembered=False))

    # On

    def action_go_on(self) -> None:
        """Read the file that is typed; once it is read, hold it against the payments."""
        if self._is_reading:
            return
        source, preview = self._source, self._preview
        if not self._is_read or source is None or preview is None:
            self._read()
            return
        outcome = self.query_one("#outcome", NoteLine)
        if preview.trouble or preview.file is None or not preview.file.invoices:
            self._say(source, preview)
            missing = [one for one in REQUIRED if one not in source.places]
            self.movable().select(missing[0].value if missing else MARKS)
            self.movable().focus()
            return
        if preview.file.problems and not self._skips_broken:
            self._skips_broken = True
            count = fmt.count(len(preview.file.problems), "row")
            words = _problem_words(preview.file)
            outcome.say(f"{words}\nEnter once more goes on without {count}.", Note.BAD)
            return
        self.background(self._confirm, "confirm")

    async def _confirm(self) -> None:
        source = self._source
        if source is None:
            return
        whole = source if source.is_remembered else _said_whole(source)
        try:
            await self._desk.take(whole)
            file = LastFile(str(source.path), source.encoding, source.delimiter)
            keep_last_file(self._desk.directory, self._profile, file)
        except InputError as error:
            self.tell_error(error)
        self.dismiss(True)

    def action_leave(self) -> None:
        """Go back without a file."""
        self.dismiss(False)

    def action_switch_pane(self) -> None:
        """Change between the file and its columns."""
        if self._input.has_focus and self._rows:
            self.movable().focus()
        else:
            self._input.focus()


def _expanded(typed: str) -> Path:
    """Return the path that a person means; ``~`` is their home directory."""
    try:
        return Path(typed).expanduser()
    except RuntimeError:
        return Path(typed)


def _is_fine(preview: Preview) -> bool:
    return not preview.trouble and preview.file is not None and not preview.file.problems


def _said_whole(source: Source) -> Source:
    """Return it with all columns that were guessed as said: a person has seen them and went on."""
    first = next(iter(source.places), None)
    return source if first is None else source.with_column(first, source.places[first])


def _problem_words(file: InvoiceFile) -> str:
    count = len(file.problems)
    shown = [str(problem) for problem in file.problems[:_MOST_PROBLEMS]]
    if count > _MOST_PROBLEMS:
        shown.append(f"… and {count - _MOST_PROBLEMS:,} more")
    return "\n".join(shown)
