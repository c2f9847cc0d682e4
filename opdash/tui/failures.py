"""A failure as two sentences, whatever it was."""

from __future__ import annotations

import logging

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
