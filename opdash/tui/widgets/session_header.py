"""The header of a screen about one wallet, which keeps itself true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from opdash.service.session import WalletSession
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.header import HeaderLine, header_spans

_TICK = 1.0
_WIDE = 110


class SessionHeader(HeaderLine):
    """opdash, the wallet, its address and asset, its scope, and how fresh all of it is.

    Args:
        session: Whose header.
        view: Tells what is shown in place of the profile's scope, in words and in few.
    """

    def __init__(
        self, session: WalletSession, view: Callable[[], tuple[str, str]] | None = None
    ) -> None:
        super().__init__()
        self._session = session
        self._view = view

    def on_mount(self) -> None:
        """Follow the clock."""
        self.set_interval(_TICK, self.fill)

    def on_resize(self) -> None:
        """Fit the width."""
        self.fill()

    def fill(self) -> None:
        """Write the line anew."""
        session, width = self._session, self.size.width
        right = freshness(
            session.status,
            session.now(),
            timedelta(seconds=session.profile.poll_interval),
            short=width < _WIDE,
        )
        view = None if self._view is None else self._view()
        spans = header_spans(
            session.profile, session.wallet, right, width, scope_key=False, view=view
        )
        self.show(spans)
