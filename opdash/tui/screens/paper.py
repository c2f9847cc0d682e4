"""What statements and receipts share on the screen: scrolling, copying and saving."""

from __future__ import annotations

from collections.abc import Callable

from opdash.statements.as_text import as_text
from opdash.statements.document import Document
from opdash.tui import format as fmt
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.widgets.paper_view import PaperView


class PaperScreen(OpdashScreen[None]):
    """A document on a screen of its own."""

    @property
    def paper(self) -> PaperView:
        """What shows it."""
        return self.query_one(PaperView)

    def document(self) -> Document | None:
        """Return what is shown; None while it is being made."""
        raise NotImplementedError

    def whole_document(self) -> Callable[[], Document] | None:
        """Return what makes the same with all that was left out; None where nothing was."""
        return None

    def file_name(self) -> str:
        """Return what a file of it is called, without the end that tells its form."""
        raise NotImplementedError

    # Actions

    def action_copy_paper(self) -> None:
        """Copy it as text."""
        document = self.document()
        if document is not None:
            text = as_text(document)
            self.opdash.copy_lines(text)
            self.tell(f"Copied {fmt.count(text.count(chr(10)), 'line')} of text.")

    def action_save_paper(self) -> None:
        """Ask where to save it, and in which form."""
        from opdash.tui.screens.save_paper import SavePaperScreen

        document = self.document()
        if document is None:
            self.tell("It is not added up yet.", severity="warning")
            return
        self.app.push_screen(SavePaperScreen(document, self.whole_document(), self.file_name()))

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_line_up(self) -> None:
        """Scroll one line up."""
        self.paper.scroll_up(animate=False)

    def action_line_down(self) -> None:
        """Scroll one line down."""
        self.paper.scroll_down(animate=False)

    def action_screen_up(self) -> None:
        """Scroll one screenful up."""
        self.paper.scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll one screenful down."""
        self.paper.scroll_page_down(animate=False)

    def action_top(self) -> None:
        """Scroll to the top."""
        self.paper.scroll_home(animate=False)

    def action_bottom(self) -> None:
        """Scroll to the bottom."""
        self.paper.scroll_end(animate=False)
