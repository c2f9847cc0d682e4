"""The records in which the ledger hands out what it knows.

Amounts are integers of minor units, instants are aware and in UTC, and texts are as the server sent
them: only `opdash.safetext.safe_text` may put them on a screen or a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from opdash.ledger.notes import NO_NOTE, Note
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import Pagination

Announcement = Literal["paid", "received"]
"""What a person is told once per payment, ever."""


class Scope(StrEnum):
    """Which payments a grant lets this client see; the value is the grant's action."""

    OWN = "list"
    """Those that this client created."""
    EVERYTHING = "list-all"
    """All of the wallet address."""

    def covers(self, other: Scope) -> bool:
        """Return whether everything that ``other`` sees is seen under this scope too."""
        return self is Scope.EVERYTHING or other is Scope.OWN


class Source(StrEnum):
    """The kind of answer in which something was observed."""

    LIST = "list"
    GET = "get"
    CREATE = "create"
    COMPLETE = "complete"


class Anomaly(StrEnum):
    """Something a server must not do; once seen of a payment it stays on record."""

    RECEIVED_FELL = "received-fell"
    REOPENED = "reopened"
    ASKED_CHANGED = "asked-changed"
    ASSET_CHANGED = "asset-changed"
    ASSETS_DIFFER = "assets-differ"
    OTHER_WALLET = "other-wallet"
    OTHER_ORIGIN = "other-origin"
    ASKED_ZERO = "asked-zero"


ANOMALY_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        Anomaly.RECEIVED_FELL: "the received amount went down",
        Anomaly.REOPENED: "a completed payment was open again",
        Anomaly.ASKED_CHANGED: "the amount asked for changed",
        Anomaly.ASSET_CHANGED: "the asset or its scale changed",
        Anomaly.ASSETS_DIFFER: "asked and received are in different assets",
        Anomaly.OTHER_WALLET: "it belongs to another wallet address than the one asked for",
        Anomaly.OTHER_ORIGIN: "its URL is not on the wallet address's resource server",
        Anomaly.ASKED_ZERO: "it asks for an amount of zero",
    }
)
"""What each anomaly means, for a person; the middle of a sentence."""


class SortColumn(StrEnum):
    """A column by which the table of payments can be sorted."""

    CREATED = "created"
    STATE = "state"
    ASKED = "asked"
    RECEIVED = "received"
    REFERENCE = "reference"
    DESCRIPTION = "description"
    EXPIRES = "expires"
    DIFFERENCE = "difference"
    ASSET = "asset"
    CHANGED = "changed"
    FIRST_SEEN = "first-seen"
    SCOPE = "scope"
    ID = "id"
    LABELS = "labels"
    """What people labelled it; payments without labels come before all others."""
    METADATA = "metadata"
    """The values at a path of the metadata."""


class Sort(msgspec.Struct, frozen=True):
    """An order of payments; rows that are equal in it stand newest first, in the list's order.

    Attributes:
        column: What to sort by.
        descending: Whether the greatest comes first.
        path: Which metadata value, a dotted path; empty for all other columns.
    """

    column: SortColumn = SortColumn.CREATED
    descending: bool = True
    path: str = ""


NEWEST_FIRST: Final = Sort()
"""The order of the server's list."""


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one incoming payment.

    Attributes:
        id: Its URL, the only key there is.
        wallet: The wallet address under which it was seen.
        state: The word for it.
        final: Whether it can no longer change.
        needs_action: Whether a person should look at it.
        not_completed_by_server: Expired and covered, and never completed by the server.
        no_longer_at_server: Found gone.
        next_change_at: When the state or a flag changes by itself, or None.
        asked: Minor units asked for, or None.
        asked_asset: What ``asked`` counts; None when nothing was asked.
        received: Minor units received.
        received_asset: What ``received`` counts.
        difference: received − asked in minor units; None when nothing was asked, or when the two
            are in different assets.
        completed: Whether the server closed it.
        created_at: When the server created it.
        expires_at: When it stops taking money, or None.
        reference: From its metadata, as sent; empty when there is none.
        description: From its metadata, as sent; empty when there is none.
        metadata_json: The metadata object's JSON as sent; empty when there is none.
        first_seen_at: When it was first observed.
        last_seen_at: When it was last observed.
        changed_at: When something of it last changed at the server, as far as was observed.
        gone_at: When it was found gone, or None.
        reached_at: When received was first seen to be at least what was asked, or None.
        scope: The scope under which it was last seen.
        anomalies: Codes of `Anomaly`, in the order in which they were seen.
        note: What people wrote on it.
    """

    id: str
    wallet: str
    state: State
    final: bool
    needs_action: bool
    not_completed_by_server: bool
    no_longer_at_server: bool
    next_change_at: datetime | None
    asked: int | None
    asked_asset: Asset | None
    received: int
    received_asset: Asset
    difference: int | None
    completed: bool
    created_at: datetime
    expires_at: datetime | None
    reference: str
    description: str
    metadata_json: str
    first_seen_at: datetime
    last_seen_at: datetime
    changed_at: datetime
    gone_at: datetime | None
    reached_at: datetime | None
    scope: Scope
    anomalies: tuple[str, ...]
    note: Note = NO_NOTE


class AssetTotals(msgspec.Struct, frozen=True):
    """What several payments add up to in one asset, in its minor units.

    Attributes:
        asset: The asset.
        count: How many of them receive it.
        asked: What they ask for.
        received: What they received.
        difference: received − asked, over those that ask for something in the same asset.
    """

    asset: Asset
    count: int
    asked: int
    received: int
    difference: int


class TimelineKind(StrEnum):
    """What an entry of a payment's time line tells."""

    FIRST_SEEN = "first-seen"
    CREATED = "created"
    """Created by opdash."""
    RECEIVED = "received"
    """Received rose by ``delta``."""
    FELL = "fell"
    """Received went down by ``delta`` (negative)."""
    COMPLETED = "completed"
    """Closed; by opdash where the source is `Source.COMPLETE`."""
    REOPENED = "reopened"
    ASKED = "asked"
    """The amount asked for, or its asset, changed; ``text`` is what it was before."""
    EXPIRY = "expiry"
    """The expiry changed; ``text`` is the one before (RFC 3339), empty for none."""
    METADATA = "metadata"
    """The metadata changed; ``text`` is the JSON that it was before."""
    ANOMALY = "anomaly"
    """``text`` is a code of `Anomaly`."""
    GONE = "gone"
    BACK = "back"
    """Seen again after it was found gone."""
    COMPLETING = "completing"
    """opdash asked the server to complete it."""
    NOTE = "note"
    """opdash's own remark; ``text`` says it."""
    LABELLED = "labelled"
    """A person gave it the label ``text``."""
    UNLABELLED = "unlabelled"
    """A person took the label ``text`` away."""
    NOTED = "noted"
    """A person wrote the note ``text``, or took it away where that is empty."""
    RESOLVED = "resolved"
    """A person settled it: ``text`` is an `opdash.ledger.notes.Resolution`."""


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a payment's history, as observed.

    Attributes:
        at: When it was observed; the step itself may be earlier.
        kind: What happened.
        source: The kind of answer that showed it, or None.
        received: Minor units received after this step, or None.
        delta: By how many minor units received changed, or None.
        text: As told by `TimelineKind`, otherwise empty.
    """

    at: datetime
    kind: TimelineKind
    source: Source | None = None
    received: int | None = None
    delta: int | None = None
    text: str = ""


class ChangeKind(StrEnum):
    """Why a payment is reported as changed."""

    NEW = "new"
    """First seen."""
    CHANGED = "changed"
    """The server says something else than before."""
    TIME = "time"
    """Time alone moved its state or flags."""
    GONE = "gone"
    """Found gone."""
    BACK = "back"
    """Seen again after it was gone."""
    NOTE = "note"
    """A person wrote something on it, or settled it."""


class Change(msgspec.Struct, frozen=True):
    """One payment that is not as it was.

    Attributes:
        kind: Why.
        payment: As it is now.
        previous: As it was; None when it is new.
        announce: What to tell the person, once per payment ever, or None.
    """

    kind: ChangeKind
    payment: PaymentRow
    previous: PaymentRow | None = None
    announce: Announcement | None = None


class PagePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the server's list the payments of one `Ledger.record` call lie.

    Attributes:
        pagination: What the server said about the page.
        cursor: The cursor that was sent; None for the head of the list.
        backwards: Whether the page lies before the cursor (asked for with ``last``).
    """

    pagination: Pagination
    cursor: str | None = None
    backwards: bool = False


class WalkState(msgspec.Struct, frozen=True, kw_only=True):
    """How far down the server's list one scope has been read without a gap.

    Attributes:
        cursor: Where the next older page begins; None when nothing was read.
        server_has_more: Whether the server said that there is an older page.
        updated_at: When this was found.
        gaps: Where reading must go on, because a head of the list did not reach down to what was
            known; newest first.
    """

    cursor: str | None
    server_has_more: bool
    updated_at: datetime
    gaps: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures above the table, in minor units of the wallet address's asset.

    Attributes:
        open_count: Payments that still take money or wait to be completed.
        open_due: What is still missing of them.
        today_count: Payments that received something since the day began.
        today_received: What arrived since the day began, as far as was observed.
        needs_action: Payments that a person should look at.
        known: Payments in the ledger.
        complete: Whether the server's whole list is known.
        days: What arrived on each of the last 7 days, today last.
    """

    open_count: int
    open_due: int
    today_count: int
    today_received: int
    needs_action: int
    known: int
    complete: bool
    days: tuple[int, ...]


class WalletRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a wallet address.

    Attributes:
        address: Its id.
        public_name: As sent; empty when it has none.
        asset: What it holds.
        auth_server: Exactly as given.
        resource_server: Exactly as given.
        open_count: Payments that still take money or wait to be completed.
        open_due: What is still missing of them, in minor units.
        received_total: All that its known payments received, in minor units.
        known: Payments in the ledger.
        complete: Whether the server's whole list is known.
        last_poll_at: When the server last answered a poll, or None.
    """

    address: str
    public_name: str
    asset: Asset
    auth_server: str
    resource_server: str
    open_count: int
    open_due: int
    received_total: int
    known: int
    complete: bool
    last_poll_at: datetime | None


class Changeable(msgspec.Struct, frozen=True):
    """A payment that can still change, as the poll planner needs it; with its number."""

    id: str
    created_at: datetime
    expires_at: datetime | None
    changed_at: datetime
    last_seen_at: datetime
    scope: Scope
    number: int = 0


class CreationStatus(StrEnum):
    """How far a payment that opdash set out to create has come."""

    INTENDED = "intended"
    """Written down, not sent."""
    SENT = "sent"
    """Sent, or just about to be; no answer yet."""
    UNKNOWN = "unknown"
    """Sent and not answered: the payment may exist."""
    CREATED = "created"
    FAILED = "failed"
    """The server refused, or nothing was sent."""
    NOT_FOUND = "not-found"
    """Sent and not answered, and the server's list has no such payment."""


UNRESOLVED: Final = frozenset(
    {CreationStatus.INTENDED, CreationStatus.SENT, CreationStatus.UNKNOWN}
)
"""Statuses of a creation whose end is not known yet."""


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that opdash set out to create; kept from before the request is sent.

    Attributes:
        request_id: opdash's own key, also in the payment's metadata.
        wallet: The wallet address that is to receive.
        draft_json: The JSON that is sent.
        status: How far it has come.
        created_at: When it was written down.
        updated_at: When the status last changed.
        payment_id: The payment's URL once known, or None.
        error: What went wrong, one sentence; empty when nothing did.
    """

    request_id: str
    wallet: str
    draft_json: str
    status: CreationStatus
    created_at: datetime
    updated_at: datetime
    payment_id: str | None = None
    error: str = ""
