"""The keys that move a cursor, for every screen that has a list of rows."""

from __future__ import annotations

from typing import Protocol


class Movable(Protocol):
    """A list with a cursor."""

    def move(self, rows: int) -> None:
        """Move by so many rows."""

    def move_screen(self, screens: int) -> None:
        """Move by so many screenfuls."""

    def go_first(self) -> None:
        """Go to the first row."""

    def go_last(self) -> None:
        """Go to the last row."""


class CursorActions:
    """What the movement keys of the registry run."""

    def movable(self) -> Movable | None:
        """Return the list to move in, or None while there is none."""
        raise NotImplementedError

    def action_move_up(self) -> None:
        """Go one row up."""
        if rows := self.movable():
            rows.move(-1)

    def action_move_down(self) -> None:
        """Go one row down."""
        if rows := self.movable():
            rows.move(1)

    def action_screen_up(self) -> None:
        """Go one screenful up."""
        if rows := self.movable():
            rows.move_screen(-1)

    def action_screen_down(self) -> None:
        """Go one screenful down."""
        if rows := self.movable():
            rows.move_screen(1)

    def action_first(self) -> None:
        """Go to the first row."""
        if rows := self.movable():
            rows.go_first()

    def action_last(self) -> None:
        """Go to the last known row."""
        if rows := self.movable():
            rows.go_last()
