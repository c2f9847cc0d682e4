"""The root of opdash's exceptions.

Every failure a person can meet is one of these; each carries one sentence that says what
happened and one that says what to do next, both free of secrets and of control characters.

    OpdashError                       exit code 1
    ├── InputError                    2   what a person typed or wrote in a file
    │   ├── AmountError, AddressError, MetadataError   (opdash.openpayments)
    │   ├── ExpiryError, DraftMetadataError            (opdash.service.drafts)
    │   ├── SearchError                                (opdash.ledger.search)
    │   ├── KeyFileError
    │   │   └── LockedKeyError
    │   └── ConfigError
    ├── LedgerError                   1   the local database
    └── OpenPaymentsError             1   see opdash.openpayments.errors
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the ``opdash`` command returns to the shell."""

    DONE = 0
    """The command did what it was asked."""
    FAILED = 1
    """It could not, for a reason that none of the others names."""
    USAGE = 2
    """The command line, a file or a value given is wrong."""
    EXCEPTIONS = 3
    """It did, and found what a person should look at."""
    NOT_PERMITTED = 4
    """The server refused: a right, a token or a signature is missing."""
    UNREACHABLE = 5
    """The server did not answer."""
    INTERRUPTED = 130
    """The person pressed Ctrl+C."""


class OpdashError(Exception):
    """A failure told to a person.

    Attributes:
        sentence: What happened, one sentence.
        advice: What to do next, one sentence, or an empty string.
        is_told: Whether an event has told it to whoever looks at a screen.
    """

    exit_code: ExitCode = ExitCode.FAILED
    is_told: bool = False

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".rstrip()


class InputError(OpdashError):
    """Something a person gave cannot be used."""

    exit_code = ExitCode.USAGE


class KeyFileError(InputError):
    """A private key file is missing, unreadable, open to others or not an Ed25519 key."""


class LockedKeyError(KeyFileError):
    """A private key is protected with a passphrase, and none that opens it is known."""


class ConfigError(InputError):
    """The configuration names something wrong; the sentence gives file and key."""


class LedgerError(OpdashError):
    """The local ledger cannot be read or written."""
