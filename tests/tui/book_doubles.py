"""A file of invoices beside the payments of a small shop, and the screens over both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot

from opdash.books.book import hold_against
from opdash.books.book_index import BookIndex
from opdash.books.desk import Desk, Scene
from opdash.books.ledger_side import BookWallet
from opdash.books.sources import Source, open_source
from opdash.ledger.records import Scope
from opdash.ledger.search.values import Moment
from opdash.tui.app import OpdashApp
from opdash.tui.screens.invoice import InvoiceScreen
from opdash.tui.screens.invoices import InvoicesScreen, WalletChoice, open_books
from opdash.tui.screens.pick import Choices, PickScreen
from opdash.tui.screens.review import ReviewScreen
from opdash.tui.screens.split import SplitScreen, split_of_invoice
from opdash.tui.widgets.line import Line, Span
from opdash.tui.widgets.row_list import RowList
from opdash.tui.widgets.sheet import SheetView
from tests.tui.doubles import World

HEADER = "Rechnungsnr;Datum;Betrag;Kunde;Fällig"
ROWS = (
    "INV-2026-0412;20.11.2026;250,00;Ada Okafor;04.12.2026",
    "INV-2026-0411;20.11.2026;20,00;Café Lumière;04.12.2026",
    "花瓶と本;20.11.2026;80,00;石川商店;04.12.2026",
    "INV-2026-0398;14.11.2026;45,00;Kiosk 24;18.11.2026",
    "INV-2026-0380;10.11.2026;1.000,00;Nordwind GmbH;11.11.2026",
    "INV-2026-0377;09.11.2026;1.000,00;Nordwind GmbH;16.11.2026",
    "INV-2025-0001;16.10.2025;1.000,00;Luz Vega;30.10.2025",
    "INV-2026-0500;12.11.2026;40,00;Bäckerei Abt;26.11.2026",
    "INV-2026-0501;19.11.2026;17,50;Ada Okafor;03.12.2026",
)
"""Partly paid, paid, open, short, never paid, closed short, overpaid, suggested, no payment."""


def write_file(world: World, *rows: str, header: str = HEADER, name: str = "invoices.csv") -> Path:
    """Write a file of invoices beside the ledger."""
    path = world.dashboard.data_dir / name
    path.write_text("\n".join((header, *(rows or ROWS))) + "\n")
    return path


def confirmed(world: World, path: Path | None = None) -> Source:
    """Return a file whose columns a person has confirmed."""
    source = open_source(path or write_file(world), world.dashboard.data_dir)
    field = next(iter(source.places))
    return source.with_column(field, source.places[field])


def desk(world: World, source: Source | None = None) -> Desk:
    """Return a desk with a file on it."""
    scene = Scene((BookWallet("shop", world.wallet.id, Scope.OWN),))
    made = Desk(world.reader.path, world.dashboard.data_dir, world.clock, lambda: scene)
    made.source = source
    return made


def index(world: World) -> BookIndex:
    """Return what became of the file's invoices."""
    wallets = (BookWallet("shop", world.wallet.id, Scope.OWN),)
    moment = Moment(world.clock.now())
    return BookIndex(hold_against(confirmed(world), world.reader, wallets, (), moment))


def review_screen(world: World) -> ReviewScreen:
    """Return the invoices beside the payments."""
    app = cast("OpdashApp", _Holder(world))
    return ReviewScreen(desk(world, confirmed(world)), WalletChoice(app, "shop"))


class _Holder:
    """What a choice of wallets needs of the app."""

    def __init__(self, world: World) -> None:
        self.dashboard = world.dashboard.real


def invoices_screen(world: World) -> InvoicesScreen:
    """Return the file and its columns."""
    return InvoicesScreen(desk(world), "shop", confirmed(world))


class _Reviewed:
    """What one invoice's screen needs of the review."""

    def __init__(self, world: World) -> None:
        self.desk = desk(world)
        self.index = index(world)

    async def look(self) -> None:
        pass


def invoice_screen(world: World) -> InvoiceScreen:
    """Return one invoice."""
    return InvoiceScreen(cast("ReviewScreen", _Reviewed(world)), "INV-2026-0500")


def pick_screen() -> PickScreen:
    """Return a choice among three."""
    names = ("one", "two", "three")
    return PickScreen("Which?", Choices(names, str, lambda name: [Span(name)]))


def split_screen(world: World) -> SplitScreen:
    """Return the split of an invoice."""
    return SplitScreen(split_of_invoice(index(world), "INV-2026-0412"))


_TRIES = 500


class Merchant:
    """Somebody who looks through the books.

    Attributes:
        world: The ledger and what happens to it.
        app: The app.
        pilot: Presses the keys.
        told: What the app said for a moment.
    """

    def __init__(self, world: World, app: OpdashApp, pilot: Pilot[None]) -> None:
        self.world = world
        self.app = app
        self.pilot = pilot
        self.told: list[str] = []
        self.copied: list[str] = []
        app.copy_to_clipboard = self.copied.append  # type: ignore[assignment,method-assign]

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until all is done that they began."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def write(self, text: str) -> None:
        """Type a text."""
        names = {" ": "space", "-": "minus", ".": "full_stop", "/": "slash", "_": "underscore"}
        await self.pilot.press(*(names.get(letter, letter) for letter in text))
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is under way any more, be it a key that waits for another."""
        keys = self.app._typing_ahead
        for _ in range(_TRIES):
            if not keys._is_under_way and not keys._waiting:
                break
            await self.pilot.pause(0.02)
        for _ in range(3):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    async def on(self, kind: type[Any]) -> Any:
        """Return the screen, which must be of a kind."""
        await self.settle()
        assert isinstance(self.app.screen, kind), self.app.screen
        return self.app.screen

    @property
    def rows(self) -> list[str]:
        """What the list on the screen says."""
        return self.app.screen.query_one(RowList).texts()

    def row(self, name: str) -> str:
        """What the row of a name says."""
        listed = self.app.screen.query_one(RowList)
        return listed.texts()[list(listed.names).index(name)]

    @property
    def selected(self) -> str:
        """The name under the cursor."""
        return self.app.screen.query_one(RowList).selected

    async def select(self, name: str) -> None:
        """Go to a row with the keys."""
        listed = self.app.screen.query_one(RowList)
        await self.press("home", *["down"] * list(listed.names).index(name))
        assert self.selected == name, (self.selected, self.app.focused)

    def line(self, name: str) -> str:
        """What a line says."""
        return self.app.screen.query_one(f"#{name}", Line).text

    @property
    def details(self) -> str:
        """What the pane says."""
        return self.app.screen.query_one("#details SheetView", SheetView).text

    async def look(self) -> None:
        """Let the screen look again, as it does every second."""
        screen = self.app.screen
        assert isinstance(screen, ReviewScreen)
        await screen.look()
        await self.settle()

    async def pay(self, number: int, **more: Any) -> None:
        """Let money arrive."""
        from tests.tui.doubles import make_payment

        self.world.record(make_payment(number, **more))
        await self.settle()


@asynccontextmanager
async def reviewing(
    world: World, *rows: str, size: tuple[int, int] = (120, 40), header: str = HEADER
) -> AsyncIterator[Merchant]:
    """Open a file of invoices whose columns are known."""
    path = write_file(world, *rows, header=header)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        merchant = Merchant(world, app, pilot)
        say = app.tell

        def tell(sentence: str, advice: str = "", **more: Any) -> None:
            merchant.told.append(f"{sentence} {advice}".strip())
            say(sentence, advice, **more)

        app.tell = tell  # type: ignore[method-assign]
        await merchant.settle()
        open_books(app, "shop", source=confirmed(world, path))
        await merchant.on(ReviewScreen)
        yield merchant
