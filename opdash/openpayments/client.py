"""An Open Payments client: every call is one request, signed where the protocol asks for it.

A token and a signature are sent only to the origin of the resource server or the authorization
server that a wallet address names. Which calls are signed: all with a token, and all to an
authorization server. Not signed: wallet addresses, their keys, public incoming payments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from opdash.clock import Clock
from opdash.openpayments import answers, grants
from opdash.openpayments.addresses import (
    AddressError,
    is_on_loopback,
    join,
    origin,
    parse_resource_url,
    with_query,
)
from opdash.openpayments.channel import CREATED, ENDED, Channel
from opdash.openpayments.decoding import broken
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.errors import AnswerTooLargeError, LostCursorError, ProtocolError
from opdash.openpayments.grants import (
    Access,
    AccessToken,
    Continuation,
    Grant,
    InteractRequest,
)
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import (
    IncomingPayment,
    IncomingPaymentPage,
    Jwks,
    OutgoingPayment,
    OutgoingPaymentPage,
    PublicIncomingPayment,
    WalletAddress,
)
from opdash.openpayments.secrets import Secret
from opdash.openpayments.traces import Tracer
from opdash.openpayments.transport import Observer, Transport

MAX_PAGE = 100
"""The most payments that one page may have."""

_Payment = TypeVar("_Payment", IncomingPayment, OutgoingPayment)


class OpenPaymentsClient:
    """Asks Open Payments servers. Use it as an async context manager, on one event loop."""

    def __init__(
        self,
        *,
        key: ClientKey | None = None,
        client_wallet_address: str = "",
        clock: Clock,
        ca_file: Path | None = None,
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            key: Signs; without it only what is public can be asked.
            client_wallet_address: Says who asks for grants; it serves the key in its jwks.
            clock: Dates signatures, and is compared with the server's.
            ca_file: Certificates (PEM) to trust instead of the system's.
            observer: Is told of every exchange; never a secret.
            tracer: Is handed what went over the wire, without secrets.
            timeout: Seconds until a whole answer must be there.

        Raises:
            ConfigError: The file of certificates cannot be used.
        """
        self._client_wallet_address = client_wallet_address
        transport = Transport(
            clock, ca_file=ca_file, observer=observer, tracer=tracer, timeout=timeout
        )
        self._channel = Channel(transport, key, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._channel.aclose()

    @property
    def server_offset(self) -> timedelta:
        """The server's clock less this machine's: the median over the last ``Date`` headers."""
        return self._channel.server_offset

    # What anyone may ask

    async def wallet_address(self, url: str) -> WalletAddress:
        """Fetch the description of a wallet address.

        Up to three redirects are followed, as nothing secret is sent. If the ``id`` that is
        answered lies at another origin, that address must say so itself.

        Args:
            url: As `opdash.openpayments.addresses.parse_wallet_address` returns it.

        Raises:
            AddressError: The URL cannot be asked.
            OpenPaymentsError: There is no answer, or none that describes a wallet address.
        """
        asked, wallet = await self._describe(url)
        if _origin_of_answer("id", wallet.id) != origin(asked):
            asked, confirmed = await self._describe(wallet.id)
            if confirmed.id != wallet.id:
                raise broken("id", "The wallet address names another one that does not confirm it.")
            wallet = confirmed
        if not is_on_loopback(asked):
            for field, server in (
                ("authServer", wallet.auth_server),
                ("resourceServer", wallet.resource_server),
            ):
                if is_on_loopback(server):
                    raise broken(field, "The address names a server on this machine itself.")
        return wallet

    async def jwks(self, wallet_address_id: str) -> Jwks:
        """Fetch the public keys of a wallet address.

        Args:
            wallet_address_id: The ``id`` that it answered.

        Raises:
            OpenPaymentsError: There is no answer, or none that lists keys.
        """
        answer = await self._channel.follow(
            join(wallet_address_id, "jwks.json"), "fetch the keys of a wallet address"
        )
        return answers.decode_jwks(answer.body)

    async def public_incoming_payment(self, url: str) -> PublicIncomingPayment:
        """Fetch what anyone may see of an incoming payment.

        Raises:
            AddressError: The URL cannot be asked.
            OpenPaymentsError: There is no answer, or none that describes a payment.
        """
        answer = await self._channel.ask_anyone(
            parse_resource_url(url), "see what anyone may see of a payment"
        )
        return answers.decode_public_incoming_payment(answer.body)

    # Incoming payments

    async def list_incoming_payments(
        self,
        wallet: WalletAddress,
        token: Secret,
        *,
        first: int | None = None,
        last: int | None = None,
        cursor: str | None = None,
    ) -> IncomingPaymentPage:
        """Fetch one page of a wallet address's incoming payments, in the server's order.

        Args:
            wallet: Whose payments.
            token: With the right ``list`` or ``list-all``.
            first: How many payments after the cursor, or from the head; 1 to 100.
            last: How many payments before the cursor; 1 to 100.
            cursor: A cursor that a page had; needed with ``last``.

        Raises:
            AnswerTooLargeError: The page is larger than opdash reads; ask for fewer.
            OpenPaymentsError: There is no answer, or none that is a page.
        """
        body = await self._page(wallet, token, "incoming", _place(first, last, cursor))
        return answers.decode_incoming_payment_page(body)

    async def walk_incoming_payments(
        self, wallet: WalletAddress, token: Secret, *, page_size: int = MAX_PAGE
    ) -> AsyncIterator[IncomingPaymentPage]:
        """Fetch all pages of a wallet address's incoming payments, one after the other.

        A page that is larger than opdash reads is asked for anew in smaller ones.

        Raises:
            LostCursorError: A page that was promised is empty; start again from the head.
            ProtocolError: The list leads back to itself.
            OpenPaymentsError: There is no answer, or none that is a page.
        """
        cursor: str | None = None
        been_at: set[str] = set()
        while True:
            try:
                page = await self.list_incoming_payments(
                    wallet, token, first=page_size, cursor=cursor
                )
            except AnswerTooLargeError:
                if page_size == 1:
                    raise
                page_size //= 2
                continue
            if not page.result and (cursor is not None or page.pagination.has_next_page):
                raise LostCursorError(
                    "The server lost its place in the list.", "Start again from the newest payment."
                )
            yield page
            if not page.pagination.has_next_page:
                return
            cursor = page.pagination.end_cursor
            places = {f"cursor {cursor}", f"payment {page.result[0].id}"}
            if places & been_at:
                raise ProtocolError(
                    "The server's list leads back to itself.",
                    "Tell the wallet's provider.",
                    field="pagination.endCursor",
                )
            been_at |= places

    async def incoming_payment(
        self, wallet: WalletAddress, payment_id: str, token: Secret
    ) -> IncomingPayment:
        """Fetch one incoming payment as its account holder sees it.

        Raises:
            AddressError: The payment is not at the wallet address's resource server.
            GoneError: The server does not know it, or no longer.
            NotFoundError: It is another client's, or not there.
            OpenPaymentsError: There is no answer, or none that describes this payment.
        """
        answer = await self._channel.ask_resource(
            wallet.resource_server, "GET", payment_id, token, purpose="read an incoming payment"
        )
        return _this(answers.decode_incoming_payment(answer.body), payment_id)

    async def create_incoming_payment(
        self, wallet: WalletAddress, token: Secret, draft: IncomingPaymentDraft
    ) -> IncomingPayment:
        """Create an incoming payment. It is sent once, whatever happens.

        Raises:
            InputError: The draft cannot be sent; nothing was.
            UnreachableError: Nothing was sent, unless it is an `UnansweredError`.
            UnansweredError, ServerFaultError, ProtocolError: The payment may exist all the same.
            OpenPaymentsError: The server refused, and created nothing.
        """
        url = join(wallet.resource_server, "incoming-payments")
        answer = await self._channel.ask_resource(
            wallet.resource_server,
            "POST",
            url,
            token,
            draft.body(wallet),
            expected=CREATED,
            purpose="create an incoming payment",
        )
        return answers.decode_incoming_payment(answer.body)

    async def complete_incoming_payment(
        self, wallet: WalletAddress, payment_id: str, token: Secret
    ) -> IncomingPayment:
        """Close an incoming payment for good. It is sent once, whatever happens.

        Raises:
            AddressError: The payment is not at the wallet address's resource server.
            ConflictError: It is closed already, or has expired with money.
            GoneError: The server does not know it, or no longer.
            UnansweredError, ServerFaultError, ProtocolError: It may be closed all the same.
            OpenPaymentsError: The server refused, or was not reached.
        """
        if "?" in payment_id:
            raise AddressError("The URL of a payment that is completed has no query (?).")
        answer = await self._channel.ask_resource(
            wallet.resource_server,
            "POST",
            join(payment_id, "complete"),
            token,
            purpose="complete an incoming payment",
        )
        return _this(answers.decode_incoming_payment(answer.body), payment_id)

    # Outgoing payments

    async def outgoing_payment(
        self, wallet: WalletAddress, url: str, token: Secret
    ) -> OutgoingPayment:
        """Fetch one outgoing payment.

        Raises:
            AddressError: The payment is not at the wallet address's resource server.
            OpenPaymentsError: There is no answer, or none that describes this payment.
        """
        answer = await self._channel.ask_resource(
            wallet.resource_server, "GET", url, token, purpose="read an outgoing payment"
        )
        return _this(answers.decode_outgoing_payment(answer.body), url)

    async def list_outgoing_payments(
        self,
        wallet: WalletAddress,
        token: Secret,
        *,
        first: int | None = None,
        last: int | None = None,
        cursor: str | None = None,
    ) -> OutgoingPaymentPage:
        """Fetch one page of a wallet address's outgoing payments, in the server's order.

        Args:
            wallet: Whose payments.
            token: With the right ``list`` or ``list-all`` for outgoing payments.
            first: How many payments after the cursor, or from the head; 1 to 100.
            last: How many payments before the cursor; 1 to 100.
            cursor: A cursor that a page had; needed with ``last``.

        Raises:
            AnswerTooLargeError: The page is larger than opdash reads; ask for fewer.
            OpenPaymentsError: There is no answer, or none that is a page.
        """
        body = await self._page(wallet, token, "outgoing", _place(first, last, cursor))
        return answers.decode_outgoing_payment_page(body)

    # Grants and tokens

    async def request_grant(
        self,
        auth_server: str,
        access: Sequence[Access],
        *,
        interact: InteractRequest | None = None,
    ) -> Grant:
        """Ask for rights; a token comes at once, or after the account holder's consent.

        Args:
            auth_server: As the wallet address names it.
            access: One to three rights.
            interact: That, and how, the account holder can be asked; None if they cannot.

        Raises:
            InvalidClientError: The server cannot identify this client.
            InteractionNeededError: The account holder must consent, and cannot be asked.
            OpenPaymentsError: There is no answer, or no grant.
        """
        body = grants.grant_request(access, self._client_wallet_address, interact)
        answer = await self._channel.ask_authorization(
            auth_server, "POST", auth_server, None, body, purpose="ask for a grant"
        )
        return grants.decode_grant(answer.body)

    async def continue_grant(
        self, auth_server: str, continuation: Continuation, interact_ref: str | None = None
    ) -> Grant:
        """Ask for the outcome of a grant; without a token in the answer it is still open.

        Args:
            auth_server: As the wallet address names it.
            continuation: From the grant's last answer.
            interact_ref: What the browser brought back, where ``finish`` was asked for.

        Raises:
            TooFastError: ``wait`` seconds are not over yet.
            GrantDeniedError: The account holder, or the server, refused.
            ContinuationError: The grant cannot be continued any more.
            OpenPaymentsError: There is no answer, or none that is a grant.
        """
        body = None if interact_ref is None else grants.continue_request(interact_ref)
        answer = await self._channel.ask_authorization(
            auth_server,
            "POST",
            continuation.uri,
            continuation.token,
            body,
            purpose="learn what became of a grant",
        )
        return grants.decode_grant(answer.body)

    async def cancel_grant(self, auth_server: str, continuation: Continuation) -> None:
        """Give a grant and its tokens back.

        Raises:
            OpenPaymentsError: The server refused, or was not reached.
        """
        await self._channel.ask_authorization(
            auth_server,
            "DELETE",
            continuation.uri,
            continuation.token,
            expected=ENDED,
            purpose="give a grant back",
        )

    async def rotate_token(self, auth_server: str, token: AccessToken) -> AccessToken:
        """Exchange a token, even an expired one, for a new one with a new ``manage`` URL.

        Raises:
            ContinuationError: The token was revoked or exchanged already.
            OpenPaymentsError: The server refused, or was not reached.
        """
        answer = await self._channel.ask_authorization(
            auth_server, "POST", token.manage, token.value, purpose="renew a token"
        )
        return grants.decode_rotation(answer.body)

    async def revoke_token(self, auth_server: str, token: AccessToken) -> None:
        """Give a token back.

        Raises:
            OpenPaymentsError: The server refused, or was not reached.
        """
        await self._channel.ask_authorization(
            auth_server,
            "DELETE",
            token.manage,
            token.value,
            expected=ENDED,
            purpose="give a token back",
        )

    async def _page(
        self, wallet: WalletAddress, token: Secret, direction: str, place: dict[str, str]
    ) -> bytes:
        url = join(wallet.resource_server, f"{direction}-payments")
        answer = await self._channel.ask_resource(
            wallet.resource_server,
            "GET",
            with_query(url, {"wallet-address": wallet.id} | place),
            token,
            purpose=f"list {direction} payments",
        )
        return answer.body

    async def _describe(self, url: str) -> tuple[str, WalletAddress]:
        answer = await self._channel.follow(url, "find out about a wallet address")
        return answer.url, answers.decode_wallet_address(answer.body)


def _place(first: int | None, last: int | None, cursor: str | None) -> dict[str, str]:
    if first is not None and last is not None:
        raise ValueError("a page is asked for with first or last, not with both")
    if last is not None and cursor is None:
        raise ValueError("last needs a cursor")
    for size in (first, last):
        if size is not None and not 1 <= size <= MAX_PAGE:
            raise ValueError(f"a page has 1 to {MAX_PAGE} payments")
    place = {"first": first, "last": last, "cursor": cursor}
    return {name: str(value) for name, value in place.items() if value is not None}


def _origin_of_answer(field: str, url: str) -> str:
    try:
        return origin(url)
    except AddressError as error:
        raise broken(field, error.sentence) from error


def _this(payment: _Payment, asked: str) -> _Payment:
    if payment.id.rstrip("/").casefold() != asked.rstrip("/").casefold():
        raise broken("id", "The server answered with another payment than the one asked for.")
    return payment
