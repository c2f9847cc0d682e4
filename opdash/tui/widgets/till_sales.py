"""The sales of a till today: time, reference, amount and state of each, and what arrived."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from opdash.safetext import ELLIPSIS
from opdash.service.till import Sale, takings
from opdash.tui import format as fmt
from opdash.tui.till_words import clock, sale_name, sale_state

_TONES = {
    "plain": "",
    "muted": "$muted",
    "accent": "$primary",
    "good": "$good",
    "attention": "bold $attention",
    "bad": "bold $bad",
}
_STATE = 19
_LEAST_NAME = 8


class TillSales(Vertical):
    """Lists sales, newest first, below a line with their sums."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._sales: Sequence[Sale] = ()

    def compose(self) -> ComposeResult:
        """Lay the sums over the list."""
        yield Static("", id="sales-sums", markup=False)
        with VerticalScroll(id="sales-rows", can_focus=False):
            yield Static("", id="sales-list", markup=False)

    def on_resize(self) -> None:
        """Cut what no longer fits."""
        self._draw()

    def show(self, sales: Sequence[Sale]) -> None:
        """Show sales."""
        self._sales = sales
        self._draw()

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join([sums(self._sales), *(line.plain for line in self._lines(60))])

    def _draw(self) -> None:
        self.query_one("#sales-sums", Static).update(sums(self._sales))
        lines = self._lines(max(self.size.width - 2, 30))
        self.query_one("#sales-list", Static).update(Content("\n").join(lines))

    def _lines(self, width: int) -> list[Content]:
        amounts = [fmt.brief_number(sale.asked, sale.asset) for sale in self._sales]
        widest = max(map(cell_len, amounts), default=0)
        room = max(width - len("14:07  ") - widest - 2 - _STATE, _LEAST_NAME)
        return [
            Content.assemble(
                (f"{clock(sale.creation.created_at)}  ", "$muted"),
                _fitted(sale_name(sale), room),
                f"{amount:>{widest}}  ",
                (sale_state(sale), _TONES[_tone(sale)]),
            )
            for sale, amount in zip(self._sales, amounts, strict=True)
        ]


def sums(sales: Sequence[Sale]) -> str:
    """Return how many sales there are, and what arrived with them in each asset."""
    if not sales:
        return "No sale at this till today."
    arrived = [fmt.money(one.received, one.asset) for one in takings(sales)]
    received = f": {' · '.join(arrived)} received" if arrived else ""
    return f"Today {fmt.count(len(sales), 'sale')}{received}"


def _tone(sale: Sale) -> str:
    return "attention" if sale.payment is None else fmt.state_tone(sale.payment)


def _fitted(text: str, cells: int) -> str:
    if cell_len(text) >= cells:
        text = set_cell_size(text, cells - 2) + ELLIPSIS
    return set_cell_size(text, cells)
