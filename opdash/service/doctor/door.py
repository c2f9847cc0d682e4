"""The way of a screen to the doctor: what the examination needs is imported when it begins."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from opdash.errors import OpdashError
from opdash.service.doctor.steps import Step
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard


async def examined(dashboard: Dashboard, profile: Profile) -> AsyncGenerator[Step]:
    """Examine a wallet of a dashboard, and yield each step when it is done.

    A passphrase that the dashboard knows, or may ask for, opens the key.

    Args:
        dashboard: The service; its sessions go on undisturbed.
        profile: The wallet, as it is set up.
    """
    key = None
    if profile.key_file is not None:
        with contextlib.suppress(OpdashError):  # the step about the key says what is wrong
            key = await dashboard.keyring.read(profile.key_file, profile.key_id)
    module = await asyncio.to_thread(importlib.import_module, "opdash.service.doctor.examination")
    examination = module.examine(profile, dashboard.clock, place="the configuration file", key=key)
    async with contextlib.aclosing(examination):
        async for step in examination:
            yield step
