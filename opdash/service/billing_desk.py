"""A merchant's file on the desk of whoever bills it: what is to be done, doing it, writing it down.

The command line and the screen both work with this, so that they do the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from opdash.atomic import write_atomic
from opdash.books.billed_file import Beside, with_payments
from opdash.books.billing_book import BillingBook, plan_book, written_beside
from opdash.books.bills import Plan, Setting, Terms, missing_numbers
from opdash.books.book import Book, hold_against
from opdash.books.ledger_side import BookWallet
from opdash.books.sources import Source
from opdash.books.tabular import FileError
from opdash.clock import Clock
from opdash.errors import InputError, OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.search.values import Moment
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.service.bill_drafts import LONGEST, look_first, refusal
from opdash.service.bill_reports import Billed, BillingProgress, Ended, Outcome
from opdash.service.billing import A_SECOND, Biller
from opdash.service.session import WalletSession


class BillingDesk:
    """Bills a file of invoices on one wallet address.

    Args:
        session: The session of the wallet that is to receive.
        others: Those of other wallets whose payments may be the invoices' own.
        reader: The ledger.
        searches: A person's saved searches; some name what pays no invoice.
        clock: The one clock.
        source: The file.

    Raises:
        FileError: The file cannot be read any more.
    """

    def __init__(
        self,
        session: WalletSession,
        others: Sequence[WalletSession],
        reader: LedgerReader,
        searches: Sequence[SavedSearch],
        clock: Clock,
        source: Source,
    ) -> None:
        self.session = session
        self.source = source
        self._sessions = (session, *(one for one in others if one is not session))
        self._path = reader.path
        self._searches = tuple(searches)
        self._clock = clock
        try:
            self._data = source.path.read_bytes()
        except OSError as error:
            shown = safe_text(str(source.path))
            raise FileError(f"{shown} cannot be read: {error.strerror}.") from error
        with_payments(self._data, source.table, {})  # refuses here what could not be written back

    async def prepare(self, terms: Terms, reader: LedgerReader) -> BillingBook:
        """Learn all payments that there are, and say what is to be billed.

        Args:
            terms: What a person asks for.
            reader: The ledger.

        Raises:
            FileError: The file is not understood.
            InputError: A number that was named is not in the file.
            OpdashError: The server could not be asked.
        """
        wallet = await look_first(self.session, reader)
        return await self.plan(terms, wallet)

    async def plan(self, terms: Terms, wallet: WalletAddress) -> BillingBook:
        """Say what is to be billed, by what is known; asks nobody.

        Raises:
            FileError: The file is not understood.
            InputError: A number that was named is not in the file.
        """
        return await asyncio.to_thread(self._planned, terms, wallet)

    def _planned(self, terms: Terms, wallet: WalletAddress) -> BillingBook:
        with LedgerReader.open(self._path) as reader:
            book = self._book(reader)
            missing = missing_numbers(book.found.invoices, terms)
            if missing:
                shown = ", ".join(safe_text(one, limit=40) for one in missing[:5])
                raise InputError(
                    f"The file has no invoice {shown}.", "Write the number as the file does."
                )
            setting = Setting(asset=wallet.asset, now=self.session.now(), longest=LONGEST)
            return plan_book(
                book,
                reader,
                wallet.id,
                terms,
                setting,
                lambda bill: refusal(bill, wallet, self.session),
            )

    @property
    def wallets(self) -> tuple[BookWallet, ...]:
        """Whose payments may be the invoices' own; first the wallet that is to receive."""
        return tuple(
            BookWallet(one.profile.name, one.wallet_id, one.profile.scope)
            for one in self._sessions
            if one.wallet_id is not None
        )

    def _book(self, reader: LedgerReader) -> Book:
        moment = Moment(self._clock.now())
        return hold_against(self.source, reader, self.wallets, self._searches, moment)

    def biller(
        self,
        reader: LedgerReader,
        *,
        tell: Callable[[BillingProgress], None],
        told: Callable[[Billed], None],
        a_second: float = A_SECOND,
    ) -> Biller:
        """Return who creates the payments, once; see `Biller`."""
        return Biller(
            self.session,
            reader,
            self._clock,
            tell=tell,
            told=told,
            a_second=a_second,
            jitter=random.random,
        )

    async def carry_out(self, book: BillingBook, biller: Biller) -> Ended:
        """Create the payments of a plan; see `Biller.run`.

        Raises:
            ReadOnlyError: The wallet is set up to read only.
            BusyError: Another opdash does the same for this wallet address.
        """
        return await biller.run([one.bill for one in book.plan.bills], book.checking)

    async def write_beside(
        self, plan: Plan, ended: Ended, path: Path, *, overwrite: bool = False
    ) -> None:
        """Write the file once more, with the payments of its invoices beside them.

        Raises:
            InputError: It could not be written; no part of it is there.
        """
        data = await asyncio.to_thread(self._written, plan, ended)
        try:
            await asyncio.to_thread(write_atomic, path, data, overwrite=overwrite)
        except FileExistsError:
            raise InputError(
                f"{safe_text(str(path))} is there by now, and was left as it is.",
                "Do the same again with another --output; nothing is created twice.",
            ) from None
        except OSError as error:
            raise OpdashError(
                f"{safe_text(str(path))} could not be written: {error.strerror or error}.",
                "The payments are created. Do the same again, and it is only written.",
            ) from error

    def _written(self, plan: Plan, ended: Ended) -> bytes:
        made = {one.bill.invoice: one.payment_id for one in ended.billed if one.payment_id}
        errors = {
            one.bill.invoice: one.reason or one.outcome.value
            for one in ended.billed
            if one.outcome not in (Outcome.CREATED, Outcome.BILLED_BEFORE)
        }
        with LedgerReader.open(self._path) as reader:
            book = self._book(reader)
        left_out = {one.row: one for one in plan.left_out}
        beside: dict[int, Beside] = written_beside(book, made, errors, left_out)
        return with_payments(self._data, self.source.table, beside)
