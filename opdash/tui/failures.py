"""A failure as two sentences, whatever it was, and work in the background that ends in one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from textual.dom import DOMNode

from opdash.errors import OpdashError

_LOG = logging.getLogger(__name__)


def told(error: Exception) -> tuple[str, str]:
    """Return what happened and what to do; a failure of opdash itself is written to the log.

    Args:
        error: What was caught.
    """
    if isinstance(error, OpdashError):
        return error.sentence, error.advice
    _LOG.error("opdash met a fault of its own", exc_info=error)
    return (
        f"opdash met a fault of its own ({type(error).__name__}).",
        "Start it with --debug, which writes a log.",
    )


def run_in_background(
    node: DOMNode,
    work: Callable[[], Awaitable[object]],
    group: str,
    tell: Callable[[Exception], None],
) -> None:
    """Await something in a worker of a named group that cancels no other.

    Args:
        node: The screen or app that the worker belongs to, and ends with.
        work: What to call and await.
        group: A name for its purpose.
        tell: Is given what went wrong.
    """

    async def guarded() -> Any:
        try:
            await work()
        except Exception as error:
            tell(error)

    node.run_worker(guarded, name=group, group=group, exclusive=False, exit_on_error=False)
