"""What a query is made of: an immutable tree."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from opdash.errors import InputError
from opdash.ledger.notes import Resolution
from opdash.ledger.states import State


class SearchError(InputError):
    """A query cannot be read; the sentence names the term, the advice what was probably meant."""


class Op(StrEnum):
    """How a value is compared."""

    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class TextField(StrEnum):
    """A text that can be asked for by name."""

    REFERENCE = "ref"
    DESCRIPTION = "desc"


class AmountField(StrEnum):
    """An amount that can be asked for; ``difference`` is received − asked."""

    ASKED = "amount"
    RECEIVED = "received"
    DIFFERENCE = "difference"


class InstantField(StrEnum):
    """An instant that can be asked for."""

    CREATED = "created"
    EXPIRES = "expires"
    CHANGED = "changed"


class Flag(StrEnum):
    """Something that a payment is or is not."""

    ACTION = "action"
    """A person should look at it."""
    FINAL = "final"
    """It can no longer change."""
    COMPLETED = "completed"
    """The server closed it."""
    GONE = "gone"
    """The server no longer has it."""
    ODD = "anomaly"
    """Something was seen that a server must not do."""


class Part(StrEnum):
    """Something that a payment has or has not."""

    REFERENCE = "ref"
    DESCRIPTION = "desc"
    METADATA = "metadata"
    AMOUNT = "amount"
    EXPIRY = "expires"
    LABEL = "label"
    NOTE = "note"
    RESOLUTION = "resolution"


NOTE_PARTS: Final = frozenset({Part.LABEL, Part.NOTE, Part.RESOLUTION})
"""What people have given a payment."""


class Number(msgspec.Struct, frozen=True):
    """A decimal number, exactly: ``units`` ÷ 10 to the power of ``places``.

    Two equal numbers are the same record when made with `of`.
    """

    units: int
    places: int = 0

    @classmethod
    def of(cls, units: int, places: int) -> Number:
        """Return the number without zeros at its end."""
        while places and units % 10 == 0:
            units, places = units // 10, places - 1
        return cls(units, places)


class Word(msgspec.Struct, frozen=True, tag=True):
    """A text that one of the payment's texts contains, or its id begins with; as typed.

    Its labels and its note are among the texts.
    """

    text: str


class Contains(msgspec.Struct, frozen=True, tag=True):
    """A text contains another, or is the same; without regard to case."""

    field: TextField
    text: str
    whole: bool = False


class IdIs(msgspec.Struct, frozen=True, tag=True):
    """The id, or its last segment, begins so."""

    text: str


class StateIn(msgspec.Struct, frozen=True, tag=True):
    """The state is one of these, which stand in the order of `State`."""

    states: tuple[State, ...]


class AmountIs(msgspec.Struct, frozen=True, tag=True):
    """An amount compares so with a number, in the scale of its own asset."""

    field: AmountField
    op: Op
    number: Number


class AssetIn(msgspec.Struct, frozen=True, tag=True):
    """What was received is in one of these assets; folded codes."""

    codes: tuple[str, ...]


class InstantIs(msgspec.Struct, frozen=True, tag=True):
    """An instant compares so with another; a payment that has none does not."""

    field: InstantField
    op: Op
    instant: datetime


class AmountIn(msgspec.Struct, frozen=True, tag=True):
    """An amount is from one number to another, both included."""

    field: AmountField
    low: Number
    high: Number


class InstantIn(msgspec.Struct, frozen=True, tag=True):
    """An instant is not before ``start``, and before ``end``."""

    field: InstantField
    start: datetime
    end: datetime


class Is(msgspec.Struct, frozen=True, tag=True):
    """A flag is set."""

    flag: Flag


class Has(msgspec.Struct, frozen=True, tag=True):
    """There is such a part."""

    part: Part


class MetadataIs(msgspec.Struct, frozen=True, tag=True):
    """The metadata has a path; where ``text`` is not None, a value there contains or equals it."""

    path: str
    text: str | None = None
    whole: bool = False


class Labelled(msgspec.Struct, frozen=True, tag=True):
    """A label begins with, or is, one of these texts; folded."""

    texts: tuple[str, ...]
    whole: bool = False


class NoteSays(msgspec.Struct, frozen=True, tag=True):
    """The note contains a text, or is the same; without regard to case."""

    text: str
    whole: bool = False


class ResolvedAs(msgspec.Struct, frozen=True, tag=True):
    """The resolution is one of these, which stand in the order of `Resolution`."""

    resolutions: tuple[Resolution, ...]


class Not(msgspec.Struct, frozen=True, tag=True):
    """A payment that does not match."""

    term: Leaf


class All(msgspec.Struct, frozen=True, tag=True):
    """A payment that matches every term; without a term, every payment."""

    terms: tuple[Term, ...] = ()


Leaf: TypeAlias = (
    Word
    | Contains
    | IdIs
    | StateIn
    | AmountIs
    | AmountIn
    | AssetIn
    | InstantIs
    | InstantIn
    | Is
    | Has
    | MetadataIs
    | Labelled
    | NoteSays
    | ResolvedAs
)
NoteLeaf: TypeAlias = Word | Has | Labelled | NoteSays | ResolvedAs
"""What is asked of what people wrote; a `Word` of other texts too."""

Term: TypeAlias = Leaf | Not
Tree: TypeAlias = Term | All


class Query(msgspec.Struct, frozen=True):
    """A query that was read.

    Attributes:
        text: The line as typed.
        tree: What it means at the instant at which it was read.
    """

    text: str
    tree: All

    @property
    def is_empty(self) -> bool:
        """Whether every payment matches because nothing is asked."""
        return not self.tree.terms
