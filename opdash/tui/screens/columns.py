"""Choosing the table's columns, their order and their widths; the table shows it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from opdash.table_view import LONGEST_PATH, Column, ColumnChoice, ViewError
from opdash.tui.actions import Place, bindings
from opdash.tui.column_draft import ColumnDraft
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.widgets.cells import fill
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.table_layout import Place as Placed
from opdash.tui.widgets.table_layout import heading

_AROUND = 11
"""Lines of the dialog, and around it, that are no columns."""

_TITLE = Content.assemble(
    "Columns", ("    K J move    ← → width    a auto width", "not bold $muted")
)
_NAME_WIDTH = 28
_CHOSEN_WIDTH = 10

Preview = Callable[[Sequence[ColumnChoice]], Sequence[Placed]]
"""Shows columns in the table; returns those that there is room for, and where."""


class ColumnList(OptionList, inherit_bindings=False):
    """A list that leaves all keys but those of its cursor to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", show=False),
        Binding("down,j", "cursor_down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
    ]


class ColumnsScreen(OpdashModal[tuple[ColumnChoice, ...] | None]):
    """A list of all columns; dismisses with those chosen, or None.

    Args:
        choices: What is shown now, from left to right.
        offered: Columns of metadata values to offer.
        preview: Shows a choice in the table meanwhile.
    """

    PLACE = Place.COLUMNS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.COLUMNS)
    AUTO_FOCUS = "ColumnList"

    def __init__(
        self, choices: Sequence[ColumnChoice], offered: Iterable[Column], preview: Preview
    ) -> None:
        super().__init__()
        self._before = tuple(choices)
        self._draft = ColumnDraft(choices, offered)
        self._preview = preview

    def compose(self) -> ComposeResult:
        """Place the list, and the line in which a path is typed."""
        head = f"    {'Column':<{_NAME_WIDTH}}{'Width':<{_CHOSEN_WIDTH}}On this screen"
        with Vertical(classes="dialog"):
            yield Static(_TITLE, classes="dialog-title", markup=False)
            yield Static(head, id="columns-head", markup=False)
            yield ColumnList()
            yield Input(
                placeholder="path in the metadata, such as orderId or customer.name",
                compact=True,
                max_length=LONGEST_PATH,
                id="path",
            )
            yield Static(id="problem", markup=False)
            yield KeyLine(Place.COLUMNS)

    def on_mount(self) -> None:
        """List the columns."""
        self._fill(self._draft.columns[0])

    def on_resize(self) -> None:
        """Leave room for the title and the key line."""
        self._list.styles.max_height = max(self.size.height - _AROUND, 3)

    # The list

    @property
    def _list(self) -> ColumnList:
        return self.query_one(ColumnList)

    @property
    def highlighted(self) -> Column:
        """The column under the cursor."""
        return self._draft.columns[self._list.highlighted or 0]

    def _fill(self, cursor: Column) -> None:
        """Write the list anew, and show the choice in the table."""
        room = {place.column: place.width for place in self._preview(self._draft.choices)}
        prompts = [self._prompt(column, room.get(column, 0)) for column in self._draft.columns]
        if self._list.option_count == len(prompts):
            for index, prompt in enumerate(prompts):
                self._list.replace_option_prompt_at_index(index, prompt)
        else:
            self._list.clear_options()
            self._list.add_options(prompts)
        self._list.highlighted = self._draft.columns.index(cursor)
        self._complain("")

    def _prompt(self, column: Column, cells: int) -> Content:
        shown, width = self._draft.is_shown(column), self._draft.width(column)
        chosen = f"{width} cells" if width else "auto"
        now = f"{cells} cells" if cells else "no room"
        return Content.assemble(
            Content.styled(" ●" if shown else " ○", "$primary" if shown else "$muted"),
            "  ",
            Content.styled(fill(_name(column), _NAME_WIDTH), "" if shown else "$muted"),
            Content(f"{chosen if shown else '':<{_CHOSEN_WIDTH}}"),
            Content.styled(now if shown else "", "$muted" if cells else "$attention"),
        )

    def on_option_list_option_selected(self) -> None:
        """Show or hide a column that was clicked."""
        self.action_toggle_column()

    # Actions

    def action_toggle_column(self) -> None:
        """Show the column, or hide it."""
        column = self.highlighted
        if self._draft.toggle(column):
            self._fill(column)
        else:
            self._complain("One column has to stay, and 40 are the most.")

    def action_column_left(self) -> None:
        """Move the column to the left."""
        self._move(-1)

    def action_column_right(self) -> None:
        """Move the column to the right."""
        self._move(1)

    def _move(self, by: int) -> None:
        column = self.highlighted
        self._draft.move(column, by)
        self._fill(column)

    def action_narrower(self) -> None:
        """Give the column one cell less."""
        self._resize(-1)

    def action_wider(self) -> None:
        """Give the column one cell more."""
        self._resize(1)

    def _resize(self, by: int) -> None:
        column = self.highlighted
        places = {place.column: place.width for place in self._preview(self._draft.choices)}
        now = self._draft.width(column) or places.get(column, cell_len(_name(column)))
        self._draft.set_width(column, now + by)
        self._fill(column)

    def action_width_auto(self) -> None:
        """Let the table choose the column's width."""
        column = self.highlighted
        self._draft.set_width(column, 0)
        self._fill(column)

    def action_standard(self) -> None:
        """Go back to the columns that opdash begins with."""
        self._draft.reset()
        self._fill(self._draft.columns[0])

    def action_use(self) -> None:
        """Keep the choice."""
        self.dismiss(self._draft.choices)

    def action_cancel(self) -> None:
        """Leave the columns as they were; while a path is typed, only that is given up."""
        if self._path.display:
            self._close_path()
            return
        self._preview(self._before)
        self.dismiss(None)

    # A path in the metadata

    @property
    def _path(self) -> Input:
        return self.query_one("#path", Input)

    def action_metadata(self) -> None:
        """Type a path."""
        self._path.display = True
        self._path.focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Show the metadata value at that path."""
        message.stop()
        path = message.value.strip().removeprefix("metadata.")
        try:
            column = self._draft.add(path, self.highlighted)
        except ViewError as error:
            self._complain(str(error))
            return
        self._close_path()
        self._fill(column)

    def _close_path(self) -> None:
        self._path.value = ""
        self._path.display = False
        self._complain("")
        self._list.focus()

    def _complain(self, sentence: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.display = bool(sentence)
        problem.update(sentence)


def _name(column: Column) -> str:
    return f"metadata.{heading(column)}" if column.path else heading(column)
