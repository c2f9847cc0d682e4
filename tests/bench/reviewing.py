"""How late the screen's loop is while 10,000 invoices are reviewed against as many payments.

Money arrives and a filter is typed meanwhile: each payment has everything held against each other
again, and each letter lists other rows.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from time import perf_counter, process_time

from opdash.openpayments.resources import IncomingPayment
from opdash.tui.app import OpdashApp
from opdash.tui.screens.invoices import open_books
from opdash.tui.screens.review import ReviewScreen
from tests.bench.figures import Bar, Figure
from tests.tui.book_doubles import confirmed, write_file
from tests.tui.doubles import World, make_payment

_COUNT = 10_000
_AT_ONCE = 500
_ARRIVALS = 8
_TYPED = "inv-77 -paid"
_TICK = 0.001


def _high() -> float:
    delays = _delays()
    return delays[int(len(delays) * 0.999)] * 1000


def _highest() -> float:
    return _delays()[-1] * 1000


@cache
def _delays() -> tuple[float, ...]:
    """Return the seconds by which ticks were late, in order."""
    with tempfile.TemporaryDirectory() as path:
        world = World(Path(path))
        try:
            return tuple(sorted(asyncio.run(_review(world))))
        finally:
            world.close()


async def _review(world: World) -> list[float]:
    payments = [_payment(number, is_paid=number % 3 > 0) for number in range(_COUNT)]
    for start in range(0, _COUNT, _AT_ONCE):
        world.write(*payments[start : start + _AT_ONCE])
    world.set_complete(True)
    world.live()
    rows = (f"INV-{n};20.11.2026;{n % 900 + 1},00;K {n % 50};04.12.2026" for n in range(_COUNT))
    source = confirmed(world, write_file(world, *rows))
    delays: list[float] = []
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        open_books(app, "shop", source=source)
        while not (isinstance(app.screen, ReviewScreen) and app.screen.index):
            await pilot.pause(0.05)
        screen = app.screen
        gc.collect()
        gc.freeze()  # as the app does once its first frame is painted
        try:
            ticking = asyncio.create_task(_tick(delays))
            await pilot.press("slash")
            for number in range(_ARRIVALS):
                before = screen.index
                world.record(_payment(number * 3, is_paid=True))
                for letter in _TYPED:
                    await pilot.press({" ": "space", "-": "minus"}.get(letter, letter))
                while screen.index is before:
                    await pilot.pause(0.01)
                await pilot.press(*["backspace"] * len(_TYPED))
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
        finally:
            gc.unfreeze()
    return delays


def _payment(number: int, *, is_paid: bool) -> IncomingPayment:
    amount = 100 * (number % 900 + 1)
    return make_payment(
        1000 + number,
        asked=amount,
        received=amount if is_paid else 0,
        completed=is_paid,
        ago=timedelta(minutes=number),
        reference=f"INV-{number}",
    )


async def _tick(delays: list[float]) -> None:
    """Note by how much this process itself was late: other programs' turns do not count."""
    while True:
        asked, worked = perf_counter(), process_time()
        await asyncio.sleep(_TICK)
        late, busy = perf_counter() - asked - _TICK, process_time() - worked
        delays.append(max(0.0, min(late, busy)))


FIGURES = (
    Figure("review_stall", "ms, 99.9th percentile of the ticks", Bar.AT_MOST, 33.0, _high),
    Figure("review_stall_max", "ms, the longest of them", Bar.AT_MOST, 100.0, _highest),
)
