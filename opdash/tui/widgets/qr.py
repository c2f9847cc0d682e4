"""A QR code on the screen: whole and in full contrast, or not at all."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from opdash.qr import BLACK, WHITE, QrCode


class QrView(Static):
    """Draws a code, black on white whatever the theme is."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, markup=False)
        self._code: QrCode | None = None

    @property
    def code(self) -> QrCode | None:
        """What it draws."""
        return self._code

    def draw(self, code: QrCode | None) -> None:
        """Draw a code; None takes no room."""
        self.display = code is not None
        if code == self._code:
            return
        self._code = code
        if code is not None:
            self.styles.width = code.width
            self.styles.height = code.height
            self.update(Content("\n".join(code.lines)).stylize(f"{BLACK} on {WHITE}"))
