"""What a wallet session works with: connection, poller, scanner, creating and completing.

They are made, and imported, when a session first works; a screen shows what the ledger knows
before that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, Creation
from opdash.service.completions import Completer
from opdash.service.connection import Connection
from opdash.service.consent import ConsentDesk
from opdash.service.creations import Creator
from opdash.service.events import EventHub
from opdash.service.keyring import Keyring
from opdash.service.late_imports import LateImports
from opdash.service.pace import RightOfWay
from opdash.service.poller import Poller
from opdash.service.polling import Polling, Surroundings
from opdash.service.recorder import Recorder
from opdash.service.scan import Scanner
from opdash.service.servers import Servers
from opdash.service.status import ScanProgress
from opdash.service.study import Study
from opdash.settings import ConsentWay, Profile

if TYPE_CHECKING:
    from opdash.openpayments.traces import Tracer
    from opdash.openpayments.transport import Observer
    from opdash.service.token_shelf import TokenShelf


@dataclass(frozen=True, slots=True)
class Heard:
    """Whom the parts tell what.

    Attributes:
        is_live: Says whether the last poll succeeded.
        changed: Takes a wallet address's id and what changed of its payments.
        caught_up: Takes how many payments came since when, at the end of an outage.
        created: Takes what became of a payment that opdash set out to create.
        scanned: Takes how far the reading of the whole list has come.
    """

    is_live: Callable[[], bool]
    changed: Callable[[str, tuple[Change, ...]], None]
    caught_up: Callable[[int, datetime], None]
    created: Callable[[Creation], None]
    scanned: Callable[[ScanProgress], None]


class Shared:
    """What the sessions of all wallets share.

    Attributes:
        servers: The resource servers.
        study: Reads the ledger for plans.
        keyring: Reads private keys.
    """

    def __init__(self, clock: Clock, ledger: Path, keyring: Keyring) -> None:
        self.servers = Servers(clock)
        self.study = Study(ledger)
        self.keyring = keyring


class Parts:
    """The parts of one session, wired to each other.

    Attributes:
        desk: Where the account holder is asked for consent.
        connection: Client and tokens.
        poller: Asks what is new and what has changed.
        scanner: Reads the whole list.
        creator: Creates payments.
        completer: Completes them.
        polling: Polls again and again, or reads along.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        recorder: Recorder,
        reader: LedgerReader,
        events: EventHub,
        clock: Clock,
        imports: LateImports,
        observer: Observer | None,
        tracer: Tracer | None = None,
        shelf: Callable[[], TokenShelf] | None,
        consent: ConsentWay,
        way: RightOfWay,
        shared: Shared,
        heard: Heard,
        around: Surroundings,
    ) -> None:
        self.desk = ConsentDesk(profile.name, events, clock, consent)
        self.connection = Connection(
            profile,
            clock,
            self.desk,
            imports,
            observer,
            tracer=tracer,
            shelf=shelf,
            remembered=lambda: reader.wallet_address(profile.wallet_address),
            keyring=shared.keyring,
        )
        self.poller = Poller(
            profile,
            self.connection,
            recorder,
            reader,
            clock,
            heard.changed,
            heard.caught_up,
            servers=shared.servers,
            study=shared.study,
        )
        self.scanner = Scanner(
            profile,
            self.poller,
            recorder,
            reader,
            clock,
            way,
            is_live=heard.is_live,
            announce=heard.changed,
            tell=heard.scanned,
            every=timedelta(hours=profile.scan_every),
        )
        self.creator = Creator(self.connection, self.poller, recorder, reader, clock, heard.created)
        self.completer = Completer(self.connection, self.poller, recorder, reader)
        self.polling = Polling(
            profile, self.poller, self.creator, reader, clock, way, shared.study, around
        )
