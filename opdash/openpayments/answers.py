"""Reading answers into records, fast, and with the culprit named where one breaks the protocol.

Amounts stay text while decoding; one check runs over all of a page's values, and the culprit is
looked for only when that check fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from opdash.openpayments.addresses import AddressError, check_server_url
from opdash.openpayments.amounts import MAX_VALUE, Amount
from opdash.openpayments.decoding import (
    MAX_DEPTH,
    broken,
    decode,
    decoder,
    may_nest_too_deeply,
    tamed,
)
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import (
    IncomingPayment,
    IncomingPaymentPage,
    Jwks,
    OutgoingPayment,
    OutgoingPaymentPage,
    PublicIncomingPayment,
    WalletAddress,
)
from opdash.safetext import safe_text

_SURE_VALUES = re.compile(r"(?:[0-9]{1,19},)*")
_ABSENT_OR_OBJECT = frozenset({b"", b"{"})
_VALUE = re.compile(r"[0-9]{1,20}")


def decode_wallet_address(body: bytes) -> WalletAddress:
    """Decode the answer to a GET of a wallet address.

    Raises:
        ProtocolError: The answer breaks the protocol, or names servers that opdash must not use.
    """
    wallet = decode(_WALLET_ADDRESS, body)
    for field, url in (
        ("authServer", wallet.auth_server),
        ("resourceServer", wallet.resource_server),
    ):
        try:
            check_server_url(url)
        except AddressError as error:
            raise broken(field, error.sentence) from error
    return wallet


def decode_jwks(body: bytes) -> Jwks:
    """Decode the answer to a GET of ``jwks.json``. Raises `ProtocolError`."""
    return decode(_JWKS, body)


def decode_incoming_payment(body: bytes) -> IncomingPayment:
    """Decode the answer to create, get or complete. Raises `ProtocolError`."""
    payment = decode(_INCOMING_PAYMENT, body)
    _check_payments((payment,), [bytes(payment.raw_metadata)], lambda _: "")
    return payment


def decode_public_incoming_payment(body: bytes) -> PublicIncomingPayment:
    """Decode the answer to a GET without a token. Raises `ProtocolError`."""
    payment = decode(_PUBLIC_INCOMING_PAYMENT, body)
    if payment.received_amount is not None:
        _check_values([("receivedAmount", payment.received_amount)])
    return payment


def decode_incoming_payment_page(body: bytes) -> IncomingPaymentPage:
    """Decode one page of the list of incoming payments.

    Raises:
        ProtocolError: A field breaks the protocol, or there is a next page and no cursor to it.
    """
    page, metadata = _read_page(_INCOMING_PAYMENT_PAGE, _INCOMING_PAYMENT, body)
    _check_payments(page.result, metadata, "result[{}].".format)
    return page


def decode_outgoing_payment(body: bytes) -> OutgoingPayment:
    """Decode the answer to a GET of an outgoing payment. Raises `ProtocolError`."""
    payment = decode(_OUTGOING_PAYMENT, body)
    _check_outgoing(payment, "")
    return payment


def decode_outgoing_payment_page(body: bytes) -> OutgoingPaymentPage:
    """Decode one page of the list of outgoing payments.

    Raises:
        ProtocolError: A field breaks the protocol, or there is a next page and no cursor to it.
    """
    page, _ = _read_page(_OUTGOING_PAYMENT_PAGE, _OUTGOING_PAYMENT, body)
    for index, payment in enumerate(page.result):
        _check_outgoing(payment, f"result[{index}].")
    return page


class _Parts(msgspec.Struct, frozen=True):
    """A page whose payments are not looked into yet."""

    result: tuple[msgspec.Raw, ...]


_WALLET_ADDRESS = decoder(WalletAddress)
_JWKS = decoder(Jwks)
_INCOMING_PAYMENT = decoder(IncomingPayment)
_PUBLIC_INCOMING_PAYMENT = decoder(PublicIncomingPayment)
_INCOMING_PAYMENT_PAGE = decoder(IncomingPaymentPage)
_OUTGOING_PAYMENT = decoder(OutgoingPayment)
_OUTGOING_PAYMENT_PAGE = decoder(OutgoingPaymentPage)
_PARTS = decoder(_Parts)

_Page = TypeVar("_Page", IncomingPaymentPage, OutgoingPaymentPage)


def _read_page(
    pages: msgspec.json.Decoder[_Page], payments: msgspec.json.Decoder[Any], body: bytes
) -> tuple[_Page, list[bytes]]:
    """Return a page, and the metadata of its payments as sent, none nested too deeply."""
    page = _decode_page(pages, payments, body)
    metadata = [bytes(payment.raw_metadata) for payment in page.result]
    if max(map(len, metadata), default=0) > 2 * MAX_DEPTH and any(
        map(may_nest_too_deeply, metadata)
    ):
        page = _decode_page(pages, payments, tamed(body))
        metadata = [bytes(payment.raw_metadata) for payment in page.result]
    if page.pagination.has_next_page and not page.pagination.end_cursor:
        raise broken("pagination.endCursor", "There is a next page, and no cursor to it.")
    return page, metadata


def _decode_page(
    pages: msgspec.json.Decoder[_Page], payments: msgspec.json.Decoder[Any], body: bytes
) -> _Page:
    try:
        return decode(pages, body, is_list=True)
    except ProtocolError as error:
        if error.field.startswith("result[...]"):
            for index, part in enumerate(decode(_PARTS, body, is_list=True).result):
                decode(payments, bytes(part), f"result[{index}].")
        raise


def _check_outgoing(payment: OutgoingPayment, prefix: str) -> None:
    amounts = [
        ("receiveAmount", payment.receive_amount),
        ("debitAmount", payment.debit_amount),
        ("sentAmount", payment.sent_amount),
        ("grantSpentDebitAmount", payment.grant_spent_debit_amount),
        ("grantSpentReceiveAmount", payment.grant_spent_receive_amount),
    ]
    _check_values([(prefix + field, amount) for field, amount in amounts if amount is not None])
    _check_object(bytes(payment.raw_metadata), f"{prefix}metadata")


def _check_payments(
    payments: Sequence[IncomingPayment], metadata: Sequence[bytes], prefix: Callable[[int], str]
) -> None:
    values = [payment.received_amount.value for payment in payments]
    values += [payment.incoming_amount.value for payment in payments if payment.incoming_amount]
    joined = ",".join(values) + ","
    if (
        {text[:1] for text in metadata} <= _ABSENT_OR_OBJECT
        and joined.count(",") == len(values)
        and _SURE_VALUES.fullmatch(joined)
    ):
        return
    for index, payment in enumerate(payments):
        _check_values((prefix(index) + field, amount) for field, amount in _amounts(payment))
        _check_object(metadata[index], prefix(index) + "metadata")


def _amounts(payment: IncomingPayment) -> Iterator[tuple[str, Amount]]:
    yield "receivedAmount", payment.received_amount
    if payment.incoming_amount is not None:
        yield "incomingAmount", payment.incoming_amount


def _check_values(amounts: Iterable[tuple[str, Amount]]) -> None:
    for field, amount in amounts:
        if _VALUE.fullmatch(amount.value) is None or int(amount.value) > MAX_VALUE:
            why = f"“{safe_text(amount.value, limit=32)}” is not a whole number from 0 to 2^64−1."
            raise broken(f"{field}.value", why)


def _check_object(text: bytes, field: str) -> None:
    if text[:1] not in _ABSENT_OR_OBJECT and text != b"null":
        raise broken(field, "It is not an object.")
