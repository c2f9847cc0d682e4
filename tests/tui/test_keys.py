"""Presses every key of every place, and sees that its action runs there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from textual.screen import Screen
from textual.widgets import Input

from opdash.ledger.records import NEWEST_FIRST
from opdash.ledger.search.saved import SavedSearch
from opdash.service.doctor.steps import Finding, Step, StepName
from opdash.service.events import ConsentNeeded
from opdash.settings import Profile
from opdash.statements.document import Document
from opdash.table_view import STANDARD_CHOICE
from opdash.tui.actions import Action, Place
from opdash.tui.actions.registry import ACTIONS
from opdash.tui.app import OpdashApp
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.screens.all_wallets import AllWalletsScreen
from opdash.tui.screens.base import _Shared
from opdash.tui.screens.bill import BillScreen
from opdash.tui.screens.columns import ColumnsScreen
from opdash.tui.screens.complete import CompleteScreen
from opdash.tui.screens.consent import ConsentScreen
from opdash.tui.screens.create import CreateScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.doctor import DoctorScreen
from opdash.tui.screens.export import ExportScreen
from opdash.tui.screens.give_back import GiveBackScreen, Kind
from opdash.tui.screens.grants import GrantsScreen
from opdash.tui.screens.help import HelpScreen
from opdash.tui.screens.inspector import InspectorScreen
from opdash.tui.screens.note import NoteScreen
from opdash.tui.screens.outgoing import OutgoingScreen
from opdash.tui.screens.outgoing_list import OutgoingListScreen
from opdash.tui.screens.passphrase import PassphraseScreen
from opdash.tui.screens.receipt import ReceiptScreen
from opdash.tui.screens.receipts import ReceiptsScreen
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.screens.remove_wallet import RemoveWalletScreen
from opdash.tui.screens.replace_key import ReplaceKeyScreen
from opdash.tui.screens.save_paper import SavePaperScreen
from opdash.tui.screens.save_search import SaveSearchScreen
from opdash.tui.screens.scope import ScopeScreen
from opdash.tui.screens.searches import SearchesScreen
from opdash.tui.screens.sort import SortScreen
from opdash.tui.screens.statement import StatementScreen
from opdash.tui.screens.till import TillScreen
from opdash.tui.screens.till_end import EndSaleScreen
from opdash.tui.screens.till_sale import SaleScreen
from opdash.tui.screens.wallets import WalletsScreen
from tests.tui import book_doubles as books
from tests.tui.bill_doubles import FakeDesk, source
from tests.tui.doubles import World, grant_view, shop_payments
from tests.tui.key_doubles import NEXT_KEY
from tests.tui.request_doubles import request_screen
from tests.tui.till_doubles import sale_of_row


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


async def no_count(_: SavedSearch) -> int | None:
    return None


async def nothing_found(_: Profile) -> AsyncGenerator[Step]:
    yield Step(StepName.CONFIGURATION, Finding(True, "All is well."))


def open_screen(place: Place, world: World) -> Screen[Any] | None:
    """Return the screen of a place; None for the one that the app begins with."""
    session, dashboard = world.wallet_session, world.dashboard.real
    row = world.reader.window(world.wallet.id, NEWEST_FIRST, 0, 1)[0]
    consent = ConsentNeeded("shop", "read", "https://auth.example/i", world.clock.now())
    makers: dict[Place, Callable[[], Screen[Any]]] = {
        Place.WALLETS: lambda: WalletsScreen(current="shop"),
        Place.DETAIL: lambda: DetailScreen(session, row.id),
        Place.OUTGOING: lambda: OutgoingScreen(session),
        Place.OUTGOINGS: lambda: OutgoingListScreen(session, receiver=row.id),
        Place.ALL_WALLETS: AllWalletsScreen,
        Place.RECEIPTS: lambda: ReceiptsScreen(session),
        Place.STATEMENT: lambda: StatementScreen(session),
        Place.RECEIPT: lambda: ReceiptScreen(session, row.id),
        Place.SAVE_PAPER: lambda: SavePaperScreen(Document("", ()), None, "statement"),
        Place.EXPORT: lambda: ExportScreen(session, None),
        Place.CREATE: lambda: CreateScreen(session),
        Place.COMPLETE: lambda: CompleteScreen(session, row),
        Place.ADD_WALLET: lambda: AddWalletScreen(dashboard),
        Place.REGISTER_KEY: lambda: RegisterKeyScreen(world.session.profile, NEXT_KEY),
        Place.REPLACE_KEY: lambda: ReplaceKeyScreen("shop"),
        Place.PASSPHRASE: lambda: PassphraseScreen(NEXT_KEY.file, ""),
        Place.GRANTS: lambda: GrantsScreen("shop"),
        Place.DOCTOR: lambda: DoctorScreen(session.profile, nothing_found),
        Place.GIVE_BACK: lambda: GiveBackScreen(grant_view(), Kind.ONE),
        Place.SCOPE: lambda: ScopeScreen(world.session.profile),
        Place.REMOVE_WALLET: lambda: RemoveWalletScreen(dashboard, world.session.profile),
        Place.SORT: lambda: SortScreen(NEWEST_FIRST),
        Place.COLUMNS: lambda: ColumnsScreen(STANDARD_CHOICE, (), lambda _: ()),
        Place.SEARCHES: lambda: SearchesScreen(session, "", no_count),
        Place.SAVE_SEARCH: lambda: SaveSearchScreen(session, SavedSearch("", "tip")),
        Place.NOTE: lambda: NoteScreen(session, row),
        Place.CONSENT: lambda: ConsentScreen(consent),
        Place.HELP: lambda: HelpScreen(Place.PAYMENTS),
        Place.INSPECTOR: InspectorScreen,
        Place.REQUEST: request_screen,
        Place.BILL: lambda: BillScreen(
            world.session.profile, source(Path(world.reader.path).parent), desk=FakeDesk().real
        ),
        Place.INVOICES: lambda: books.invoices_screen(world),
        Place.REVIEW: lambda: books.review_screen(world),
        Place.INVOICE: lambda: books.invoice_screen(world),
        Place.PICK: books.pick_screen,
        Place.SPLIT: lambda: books.split_screen(world),
        Place.TILL: lambda: TillScreen(session),
        Place.SALE: lambda: SaleScreen(session, sale_of_row(row)),
        Place.END_SALE: lambda: EndSaleScreen(session, row),
    }
    return makers[place]() if place in makers else None


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
async def test_every_key_runs_its_action(
    world: World, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    app = OpdashApp(world.dashboard.real)
    ran: list[tuple[str, tuple[object, ...]]] = []

    def stand_in(action: Action) -> Callable[..., None]:
        return lambda *given: ran.append((action.id, given))

    async with app.run_test(size=(120, 40)) as pilot:
        screen = open_screen(place, world)
        if screen is not None:
            await app.push_screen(screen)
        await pilot.pause()
        if place is Place.FILTER:
            await pilot.press("slash")
        owner: Any = app if place is Place.ANYWHERE else app.screen
        if place not in (Place.ANYWHERE, Place.FILTER):
            assert cast("_Shared[Any]", app.screen).PLACE is place
        actions = [action for action in ACTIONS if place in action.places]
        assert actions
        for action in actions:
            monkeypatch.setattr(owner, f"action_{action.id}", stand_in(action))
        for action in actions:
            for key in action.keys:
                ran.clear()
                if place is not Place.FILTER:
                    await _leave_inputs(app, key)
                await pilot.press(key)
                given = () if action.argument is None else (action.argument,)
                assert ran == [(action.id, given)], key


async def _leave_inputs(app: OpdashApp, key: str) -> None:
    """A printable key in an input is text; the action waits for the person to leave it."""
    focused = app.focused
    printable = key if len(key) == 1 else None
    if isinstance(focused, Input) and (
        focused.check_consume_key(key, printable) or key in focused._bindings.key_to_bindings
    ):
        app.set_focus(None)
