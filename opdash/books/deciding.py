"""What a person may decide: nobody can give away more of a payment than there is of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opdash.books.records import Link
from opdash.errors import InputError
from opdash.openpayments.amounts import MINUS, Asset, format_minor
from opdash.safetext import safe_text


def room_left(
    received: int,
    asked: int | None,
    links: Iterable[Link],
    payment_id: str,
    besides: Collection[str] = (),
) -> int:
    """Return how much of a payment is nobody's yet, in its minor units.

    Args:
        received: What it received.
        asked: What it asks for; a payment that is not paid yet can be split as well.
        links: All links that stand.
        payment_id: Its URL.
        besides: Numbers of invoices whose links do not count.
    """
    others = [one for one in links if one.payment_id == payment_id and one.number not in besides]
    return max(max(received, asked or 0) - sum(one.amount or 0 for one in others), 0)


def check_link(
    received: int,
    asked: int | None,
    asset: Asset,
    links: Collection[Link],
    wanted: Link,
) -> None:
    """Refuse a link that gives away what is another invoice's.

    Args:
        received: What the payment received.
        asked: What it asks for.
        asset: What both count.
        links: All links that stand; an earlier one of the same pair gives way.
        wanted: What is to be linked.

    Raises:
        InputError: There is not so much of it left, or all of it is given away already.
    """
    left = room_left(received, asked, links, wanted.payment_id, (wanted.number,))
    if wanted.amount is not None and wanted.amount > left:
        money = f"{format_minor(left, asset.scale, grouped=True, minus=MINUS)} {asset.code}"
        raise InputError(
            f"Only {safe_text(money)} of this payment is left.",
            "See “opdash reconcile decisions” for what other invoices have of it.",
        )
    whole = next(
        (
            one
            for one in links
            if one.payment_id == wanted.payment_id
            and one.number != wanted.number
            and one.amount is None
        ),
        None,
    )
    if whole is not None and wanted.amount is None:
        raise InputError(
            f"All of this payment is {safe_text(whole.number, limit=40)}'s already.",
            "Say with an amount how much of it is which invoice's, or undo that.",
        )
