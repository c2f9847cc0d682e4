"""Asking for passphrases on the screen; quick to import, as the screen begins with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.openpayments.secrets import Secret

if TYPE_CHECKING:
    from opdash.tui.app import OpdashApp


class PassphraseDialogs:
    """Asks on the screen, one question at a time.

    Args:
        app: The app to ask in.
    """

    def __init__(self, app: OpdashApp) -> None:
        self._app = app
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, path: Path, remark: str) -> Secret | None:
        """Return the passphrase of a key file, or None where a person does not give it."""
        from opdash.tui.screens.passphrase import PassphraseScreen

        async with self._one_at_a_time:
            answered: asyncio.Future[Secret | None] = asyncio.get_running_loop().create_future()

            def answer(given: Secret | None) -> None:
                if not answered.done():
                    answered.set_result(given)

            screen = PassphraseScreen(path, remark)
            self._app.call_later(self._app.push_screen, screen, answer)
            try:
                return await answered
            finally:
                if screen.is_attached and not answered.done():
                    screen.dismiss(None)
