"""Keys that arrive faster than they are carried out: typing ahead, a barcode scanner, a slow line.

Textual hands each key to what has the focus when the key arrives. What an earlier key does, such as
opening the filter, comes only after that, so that its first letters would be taken for commands.
Here a key waits until the one before it has been carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.message import Message

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen
    from textual.timer import Timer

PATIENCE = 2.0
"""Seconds after which a key counts as carried out, whatever became of it."""

Typed = events.Key | events.Paste


class CarriedOut(Message):
    """Follows a key through the widgets that it passes, and is the last to arrive.

    Attributes:
        number: The key's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class TypingAhead:
    """Lets keys go one after the other.

    Args:
        app: Whose keys.
        forward: Hands a key to what has the focus.
    """

    def __init__(self, app: App[None], forward: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._forward = forward
        self._waiting: deque[Typed] = deque()
        self._number = 0
        self._is_under_way = False
        self._patience: Timer | None = None
        self._screen: Screen[Any] | None = None

    async def take(self, typed: Typed) -> None:
        """Hand a key on, or let it wait for the one before."""
        self._waiting.append(typed)
        await self._go_on()

    async def carried_out(self, number: int) -> None:
        """Take note that a key was carried out, and go on with the next."""
        if number != self._number or not self._is_under_way:
            return
        if self._screen is not self._app.screen:  # what is new must have its focus first
            self._screen = self._app.screen
            self._screen.call_after_refresh(self.carried_out, number)
            return
        self._is_under_way = False
        if self._patience is not None:
            self._patience.stop()
        await self._go_on()

    async def _go_on(self) -> None:
        while self._waiting and not self._is_under_way:
            await self._send(self._waiting.popleft())

    async def _send(self, typed: Typed) -> None:
        self._number += 1
        number = self._number
        self._is_under_way = True
        self._screen = self._app.screen
        await self._forward(typed)
        if not typed.is_forwarded:  # carried out at once
            self._is_under_way = False
            return
        target = self._app.focused or self._app.screen
        if not target.post_message(CarriedOut(number)):
            self._is_under_way = False
            return
        self._patience = self._app.set_timer(PATIENCE, lambda: self.carried_out(number))
