"""All configured wallets at work over one ledger: what the screens and the commands hold."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.errors import LedgerError, OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Announcement, Scope
from opdash.ledger.search.saved import SavedSearch
from opdash.service.events import EventHub, ProfileChanged
from opdash.service.inspection import RequestLog, Witness, both
from opdash.service.keyring import Keyring
from opdash.service.late_imports import LateImports
from opdash.service.session import WalletSession
from opdash.settings import ConsentWay, NotifyWay, Profile, Settings, SettingsStore

if TYPE_CHECKING:
    from opdash.ledger.decisions import Decision, Verdict
    from opdash.ledger.export_marks import ExportMark
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.resources import OutgoingPayment, WalletAddress
    from opdash.openpayments.traces import Tracer
    from opdash.openpayments.transport import Observer
    from opdash.service.grant_office import GrantOffice
    from opdash.service.key_change import KeyChange
    from opdash.service.onboarding import Readiness, ReadinessWatch
    from opdash.service.parts import Shared
    from opdash.service.recorder import Recorder
    from opdash.service.settings_watch import SettingsWatch
    from opdash.service.token_shelf import TokenShelf
    from opdash.table_view import TableView

_LOG = logging.getLogger(__name__)

LEDGER_FILE = "ledger.sqlite3"
"""The ledger's name in the data directory."""


class Dashboard:
    """The service as a whole.

    Attributes:
        settings: What the configuration file says; replaced when profiles change.
        reader: What is known; for the thread that opened the dashboard.
        events: Where changes are announced.
        clock: The one clock.
        keyring: Reads private keys, and asks for passphrases.
        requests: The last ones, for the request inspector.
    """

    def __init__(
        self,
        store: SettingsStore,
        data_dir: Path,
        clock: Clock,
        *,
        jitter: Callable[[], float] | None = None,
        observer: Observer | None = None,
        witness: Witness | None = None,
        inspected: bool = True,
        consent: ConsentWay = ConsentWay.AUTO,
        usual_consent: ConsentWay = ConsentWay.AUTO,
    ) -> None:
        """Open the ledger; nothing is asked yet.

        Args:
            store: The configuration file.
            data_dir: Where ledger and tokens are kept.
            clock: The one clock.
            jitter: Numbers from 0 to 1 that spread requests in time.
            observer: Is told of every exchange.
            witness: Is handed what went over the wire, without secrets.
            inspected: Whether the last requests are kept for somebody to look at.
            consent: How to learn of consent, whatever profiles say.
            usual_consent: The same, where profiles say nothing either.
        """
        self.settings: Settings = store.load()
        self.events = EventHub()
        self._settings_watch: SettingsWatch | None = None
        self.clock = clock
        self.data_dir = data_dir
        self._store = store
        self._jitter = jitter or _random_jitter
        self._observer = observer
        self._witness = witness
        self.requests = RequestLog(self.settings.inspector_requests if inspected else 0)
        self._consent = consent
        self._usual_consent = usual_consent
        self._imports = LateImports()
        self.keyring = Keyring(self._imports)
        self._path = data_dir / LEDGER_FILE
        self._opening = threading.Lock()
        self._writer: Recorder | None = None
        self.reader = self._open_reader()
        self._sessions: dict[str, WalletSession] = {}
        self._writing = asyncio.Lock()
        self._shelves: dict[str, TokenShelf] = {}
        self._since = clock.now()
        self._in_common: Shared | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._indexing: asyncio.Task[None] | None = None
        self._started = False

    def _open_reader(self) -> LedgerReader:
        """Open a ledger that can be read as it is; make one, or bring it up to date, otherwise."""
        if is_writable(self._path):
            with contextlib.suppress(LedgerError):
                return LedgerReader.open(self._path)
        self._recorder()
        return LedgerReader.open(self._path)

    def _recorder(self) -> Recorder:
        """Return the ledger's writer, opened when it is first needed.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        with self._opening:
            if self._writer is None:
                from opdash.ledger.store import Ledger
                from opdash.service.recorder import Recorder

                self._writer = Recorder(Ledger.open(self._path), self.clock)
            return self._writer

    def _shared(self) -> Shared:
        """Return what all sessions share, made when a session first works."""
        if self._in_common is None:
            from opdash.service.parts import Shared
            from opdash.service.settings_watch import SettingsWatch

            self._settings_watch = SettingsWatch(self._store, self.events, self.settings)
            self._in_common = Shared(self.clock, self._path, self.keyring)
        return self._in_common

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The configured wallets, in the order of the file."""
        return self.settings.profiles

    async def start(self) -> None:
        """Begin polling for every profile; what that takes is imported on a thread.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        if not self._started:
            self._preparing = asyncio.create_task(asyncio.to_thread(self._prepare))
            await asyncio.shield(self._preparing)
        self._started = True
        for profile in self.profiles:
            self.session(profile.name).start()
        self._indexing = asyncio.create_task(self._index_texts(), name="opdash-index")

    def _prepare(self) -> None:
        import opdash.service.parts  # noqa: F401 - the sessions are about to need it

        self._recorder()

    async def _index_texts(self) -> None:
        """Take texts that an older opdash recorded into the index for searches, bit by bit."""
        try:
            while await self._recorder().write(lambda ledger: ledger.index_texts()):
                pass
        except LedgerError:
            _LOG.warning("Texts wait for the index for searches", exc_info=True)

    async def stop(self) -> None:
        """End every session and close the ledger."""
        if self._indexing is not None:
            self._indexing.cancel()
        if self._preparing is not None:
            await asyncio.wait([self._preparing])
        await asyncio.gather(*(session.stop() for session in self._sessions.values()))
        if self._in_common is not None:
            await self._in_common.study.close()
        self.reader.close()
        if self._writer is not None:
            await self._writer.close()

    def session(self, name: str) -> WalletSession:
        """Return the session of a profile, made when first asked for.

        Raises:
            ConfigError: There is no such profile.
        """
        profile = self.settings.profile(name)
        session = self._sessions.get(profile.name)
        if session is None:
            session = self._sessions[profile.name] = WalletSession(
                profile,
                recorder=self._recorder,
                reader=self.reader,
                events=self.events,
                clock=self.clock,
                imports=self._imports,
                jitter=self._jitter,
                observer=self._observer,
                tracer=self._tracer(profile.name),
                shared=self._shared,
                shelf=lambda: self.shelf(profile),
                consent=self._consent_way(profile),
            )
        return session

    def _tracer(self, profile: str) -> Tracer | None:
        witness = self._witness
        noted = None if witness is None else partial(witness, profile)
        return both(self.requests.tracer(profile), noted)

    def _consent_way(self, profile: Profile) -> ConsentWay:
        chosen = (self._consent, profile.consent, self._usual_consent)
        return next((way for way in chosen if way is not ConsentWay.AUTO), ConsentWay.AUTO)

    def shelf(self, profile: Profile) -> TokenShelf:
        """Return where a profile's grants lie; the same for all sessions that it ever has."""
        from opdash.service.grant_office import make_shelf

        name = profile.name.casefold()
        if name not in self._shelves:
            self._shelves[name] = make_shelf(profile, self.data_dir, self.clock, self._since)
        return self._shelves[name]

    async def scan_anew(self, wallet_id: str, scope: Scope) -> None:
        """Let the whole list be read from its head the next time, as a scope shows it.

        Raises:
            LedgerError: It could not be written down.
        """
        now = self.clock.now()
        await self._recorder().write(
            lambda ledger: ledger.begin_scan(wallet_id, scope, now, anew=True)
        )

    async def decide(
        self, verdicts: Sequence[Verdict] = (), undone: Sequence[Decision] = ()
    ) -> tuple[Decision, ...]:
        """Write down what a person decided about invoices and payments, all at once.

        Args:
            verdicts: What was decided.
            undone: Decisions that are taken back; they stay on record.

        Raises:
            LedgerError: It could not be written down; nothing of it was.
        """
        now = self.clock.now()
        return await self._recorder().write(
            lambda ledger: ledger.decide_all(verdicts, undone, at=now)
        )

    async def mark_export(
        self, wallet_id: str, kind: str, mark: ExportMark, before: ExportMark
    ) -> bool:
        """Write down how far a kind of export has come; see `Ledger.mark_export`.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        return await self._recorder().write(
            lambda ledger: ledger.mark_export(wallet_id, kind, mark, before)
        )

    @property
    def grants(self) -> GrantOffice:
        """What a person can see of grants and tokens, and do with them."""
        from opdash.service.grant_office import GrantOffice

        return GrantOffice(self)

    async def probe(self, address: str, *, ca_file: Path | None = None) -> WalletAddress:
        """Ask a wallet address to describe itself; sends neither token nor signature.

        Args:
            address: A wallet address or payment pointer as typed.
            ca_file: Certificates to trust instead of the system's.

        Raises:
            AddressError: It is no wallet address.
            OpenPaymentsError: Its server does not describe it.
        """
        from opdash.openpayments.addresses import parse_wallet_address

        url = parse_wallet_address(address)
        async with await self._bare_client(ca_file) as client:
            return await client.wallet_address(url)

    def readiness(
        self, profile: Profile, tell: Callable[[Readiness], None] = lambda _: None
    ) -> ReadinessWatch:
        """Return what checks whether a wallet and its key can be used; it need not be saved."""
        from opdash.service.onboarding import ReadinessWatch

        return ReadinessWatch(profile, self.keyring, self.clock, tell, self._observer)

    async def served_keys(self, profile: Profile) -> tuple[str, ...]:
        """Return the ids of the keys that a profile's client wallet address serves.

        Raises:
            OpenPaymentsError: The jwks cannot be had.
        """
        async with await self._bare_client(profile.ca_file) as client:
            wallet = await client.wallet_address(profile.client_wallet_address)
            return tuple(key.kid for key in (await client.jwks(wallet.id)).keys)

    def key_change(self, profile: str) -> KeyChange:
        """Return what replaces a profile's key by its next one."""
        from opdash.service.key_change import KeyChange

        return KeyChange(self, profile)

    async def outgoing_payment(
        self, url: str, *, first: str = "", only: bool = False
    ) -> OutgoingPayment:
        """Fetch an outgoing payment with a configured wallet that may read it.

        Its URL does not tell whose it is. So the wallets that hold the right already are tried, and
        consent is asked for one wallet only: the one named, else the first at that server.

        Args:
            url: The payment's URL.
            first: The name of the profile to try before the others.
            only: Whether to try no others.

        Raises:
            OpdashError: No configured wallet lives at that server, or none may read it.
        """
        from opdash.openpayments.addresses import lies_below, parse_resource_url
        from opdash.openpayments.errors import NotFoundError, NotPermittedError
        from opdash.service.errors import NotOurPaymentError

        parse_resource_url(url)
        at_home = [
            session
            for session in (self.session(profile.name) for profile in self.profiles)
            if session.wallet is not None and lies_below(url, session.wallet.resource_server)
            if not only or session.profile.name == first
        ]
        if not at_home and only:
            raise NotOurPaymentError(
                f"“{first}” does not live at the server of this payment.",
                "Leave --wallet out to try all wallets.",
            )
        if not at_home:
            raise NotOurPaymentError(
                "None of your wallets lives at the server of this payment.",
                "Add the wallet address that sent it; opdash sends its token nowhere else.",
            )
        at_home.sort(key=lambda session: session.profile.name != first)
        asking, others = at_home[0], at_home[1:]
        refusal: OpdashError | None = None
        for session in (*(other for other in others if other.may_read_outgoing), asking):
            try:
                return await session.outgoing_payment(url)
            except (NotPermittedError, NotFoundError) as error:
                refusal = error
        raise _refused_to(asking, others, refusal)

    async def add_profile(self, profile: Profile) -> WalletSession:
        """Save a profile and begin to watch it.

        Raises:
            ConfigError: Its name or address is taken, or the file cannot be written.
        """
        await self._save(lambda settings: settings.adding(profile))
        session = self.session(profile.name)
        session.start()
        return session

    async def remove_profile(self, name: str) -> None:
        """Forget a profile; its payments stay in the ledger and its key file stays in place.

        Its grants are given back as far as the server can be reached, and forgotten.

        Raises:
            ConfigError: There is no such profile, or the file cannot be written.
        """
        session = self.session(name)
        await self._save(lambda settings: settings.without(name))
        await session.connection.sign_out()
        await session.connection.close()
        self._shelves.pop(session.profile.name.casefold(), None)

    async def save_profile(self, profile: Profile) -> None:
        """Save what changed of a profile without disturbing its session.

        Raises:
            ConfigError: There is no such profile, or the file cannot be written.
        """
        await self._save(lambda settings: settings.replacing(profile))

    async def replace_profile(
        self, profile: Profile, meanwhile: Callable[[WalletSession], Awaitable[object]]
    ) -> None:
        """Save a profile that has changed, and begin to work for it anew.

        Screens that show the former session are told by `ProfileChanged`.

        Args:
            profile: As it is to be; its name is as before.
            meanwhile: Is awaited while nobody works for it, with the former session.

        Raises:
            ConfigError: There is no such profile, or the file cannot be written; all is as before.
        """
        former = self.session(profile.name)
        await self._save(lambda settings: settings.replacing(profile))
        self._sessions.pop(profile.name, None)
        await former.stop()
        await meanwhile(former)
        await former.connection.close()
        if self._started:
            self.session(profile.name).start()
        self.events.publish(ProfileChanged(profile.name))

    async def save_theme(self, theme: str) -> None:
        """Remember the look of the screen. Raises `ConfigError`."""
        from msgspec.structs import replace

        await self._save(lambda settings: replace(settings, theme=theme))

    async def save_notify(self, way: NotifyWay) -> None:
        """Remember how a person is told of payments. Raises `ConfigError`."""
        from msgspec.structs import replace

        await self._save(lambda settings: replace(settings, notify=way))

    async def claim_notice(self, wallet_id: str, payment_id: str, what: Announcement) -> bool:
        """Take it on oneself to ring for a payment; return whether no opdash has done so before.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        return await self._recorder().write(
            lambda ledger: ledger.claim_notice(wallet_id, payment_id, what)
        )

    async def save_view(self, profile: str, view: TableView) -> None:
        """Remember how the table of a profile's payments was left.

        Args:
            profile: Its name.
            view: How the table is now.

        Raises:
            ConfigError: There is no such profile, or the file cannot be written.
        """
        await self._write(lambda settings: settings.viewing(profile, view))

    async def save_search(self, search: SavedSearch, instead_of: SavedSearch | None = None) -> None:
        """Keep a search under its name, which is taken from one that has it.

        Args:
            search: What to keep.
            instead_of: What it was before, where it changes its name or its wallet.

        Raises:
            ConfigError: It cannot be read back, or the file cannot be written.
        """
        await self._save(lambda settings: settings.saving(search, instead_of))

    async def remove_search(self, search: SavedSearch) -> None:
        """Forget a search. Raises `ConfigError`."""
        await self._save(lambda settings: settings.without_search(search))

    async def _write(self, change: Callable[[Settings], Settings]) -> None:
        """Change the settings and save them; one change after the other, or one would be lost."""
        async with self._writing:
            wanted = change(self.settings)
            watch = self._settings_watch
            with contextlib.nullcontext() if watch is None else watch.saving(wanted):
                self.settings = await asyncio.to_thread(self._store.save, wanted)

    async def _save(self, change: Callable[[Settings], Settings]) -> None:
        """Save, and take up what another opdash has changed in the file since it was read."""
        await self._write(change)
        names = {profile.name for profile in self.profiles}
        gone = [self._sessions.pop(name) for name in tuple(self._sessions) if name not in names]
        await asyncio.gather(*(session.stop() for session in gone))
        if self._started:
            await self.start()

    async def _bare_client(self, ca_file: Path | None) -> OpenPaymentsClient:
        modules = await self._imports.modules()
        client: OpenPaymentsClient = modules.client.OpenPaymentsClient(
            clock=self.clock,
            ca_file=ca_file,
            observer=self._observer,
            tracer=self._tracer(""),
        )
        return client


def is_writable(path: Path) -> bool:
    """Return whether a file is there, and it and its directory can be written."""
    return path.is_file() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _refused_to(
    asking: WalletSession, others: list[WalletSession], refusal: OpdashError | None
) -> OpdashError:
    from opdash.service.errors import NotOurPaymentError

    if refusal is None:
        return OpdashError("The payment could not be fetched.")
    names = ", ".join(session.profile.name for session in others)
    return NotOurPaymentError(
        f"“{asking.profile.name}” may not read this payment: {refusal.sentence}",
        f"If another of your wallets sent it, look it up from there: {names}."
        if others
        else "If another wallet address sent it, add that one.",
    )


def _random_jitter() -> float:
    import random

    return random.random()  # noqa: S311 - spreads requests, keeps no secret
