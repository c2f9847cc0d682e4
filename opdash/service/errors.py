"""What the service refuses by itself, whatever a server would say."""

from __future__ import annotations

from opdash.errors import ExitCode, OpdashError


class NotOurPaymentError(OpdashError):
    """A payment belongs to none of the wallets that could be asked with."""

    exit_code = ExitCode.NOT_PERMITTED
