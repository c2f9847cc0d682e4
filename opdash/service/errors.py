"""What the service refuses by itself, whatever a server would say."""

from __future__ import annotations

from opdash.errors import ExitCode, OpdashError
from opdash.openpayments.errors import OpenPaymentsError


class NotOurPaymentError(OpdashError):
    """A payment belongs to none of the wallets that could be asked with."""

    exit_code = ExitCode.NOT_PERMITTED


class ReadOnlyError(OpdashError):
    """A profile is set up to read only."""

    exit_code = ExitCode.NOT_PERMITTED


class NotListedError(OpdashError):
    """The server, or the grant, does not permit to list what can be read one by one."""

    exit_code = ExitCode.NOT_PERMITTED


class SignedOutError(OpenPaymentsError):
    """A person gave a grant back; opdash asks for no other until that person says so."""

    exit_code = ExitCode.NOT_PERMITTED
