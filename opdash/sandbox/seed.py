"""The payments that a sandbox starts with.

The same seed gives the same names, amounts, metadata and ids; instants lie relative to the start.
"""

from __future__ import annotations

from collections.abc import Iterator

from opdash.openpayments.amounts import Asset
from opdash.sandbox.clock import DAY, HOUR, MINUTE, SECOND, to_datetime
from opdash.sandbox.fiction import Draft, Fiction, spell_uuid
from opdash.sandbox.payments import MAX_LIFE, IncomingRow
from opdash.sandbox.wallets import CLIENT, MAIN, OTHER_CLIENT, RECEIVERS, Wallet

_MAIN_COUNT = 64
_OTHER_CLIENTS_COUNT = 9
_COUNTS = {"/atelier": 17, "/kissa": 14, "/nadia": 11, "/new": 0}
_FIRST_NUMBER = 412
_KINDS = (
    ("unpaid", 12),
    ("partial", 8),
    ("receiving", 5),
    ("paid", 40),
    ("over", 4),
    ("short", 5),
    ("closed_unpaid", 3),
    ("expired_partial", 8),
    ("tip", 8),
    ("monetization", 7),
)
_KIND_NAMES = [name for name, _ in _KINDS]
_KIND_WEIGHTS = [weight for _, weight in _KINDS]


def seed_rows(seed: int, now: int, payments: int | None) -> Iterator[list[IncomingRow]]:
    """Make the payments of all wallet addresses, in lots that can be stored at once.

    Args:
        seed: What everything follows from.
        now: The instant of the start, in microseconds.
        payments: How many of the opdash client the main wallet address gets; None for the
            realistic set alone.
    """
    own = _MAIN_COUNT if payments is None else min(payments, _MAIN_COUNT)
    for wallet in RECEIVERS:
        count = own if wallet.path == MAIN else _COUNTS[wallet.path]
        yield _realistic(Fiction(f"{seed}{wallet.path}"), wallet, CLIENT, count, now)
    others = Fiction(f"{seed}{OTHER_CLIENT}")
    yield _realistic(others, RECEIVERS[0], OTHER_CLIENT, _OTHER_CLIENTS_COUNT, now)
    if payments is not None and payments > own:
        yield from _bulk(Fiction(f"{seed}bulk"), RECEIVERS[0], payments - own, now)


def _realistic(
    fiction: Fiction, wallet: Wallet, client: str, count: int, now: int
) -> list[IncomingRow]:
    rows, year, created = [], to_datetime(now).year, now - 40 * SECOND
    for index, kind in enumerate(_kinds(fiction, count)):
        number = _FIRST_NUMBER - index
        if kind in ("tip", "receiving"):
            draft = fiction.tip()
        elif kind == "monetization":
            draft = fiction.monetization()
        else:
            draft = fiction.invoice(wallet.asset, number, year)
        rows.append(_row(fiction, wallet, client, kind, draft, created, now))
        created -= fiction.random.randint(3 * MINUTE, 4 * HOUR)
    return rows


def _kinds(fiction: Fiction, count: int) -> list[str]:
    """Return so many kinds of payments in any order, each at least once if there is room."""
    kinds = _KIND_NAMES[:count]
    kinds += fiction.random.choices(_KIND_NAMES, _KIND_WEIGHTS, k=count - len(kinds))
    fiction.random.shuffle(kinds)
    return kinds


def _row(
    fiction: Fiction, wallet: Wallet, client: str, kind: str, draft: Draft, created: int, now: int
) -> IncomingRow:
    received, completed, is_open = _progress(fiction, kind, draft, wallet.asset)
    return IncomingRow(
        id=fiction.payment_id(),
        wallet=wallet.path,
        client=client,
        asked=draft.asked,
        received=received,
        completed=completed,
        metadata=draft.metadata,
        created=created,
        expires=_expiry(fiction, kind, created, now, is_open=is_open),
    )


def _progress(fiction: Fiction, kind: str, draft: Draft, asset: Asset) -> tuple[int, bool, bool]:
    """Return what was received, whether the payment is closed, and whether it is open."""
    asked = draft.asked or 0
    part = asked * fiction.random.randint(2, 8) // 10
    match kind:
        case "unpaid":
            return 0, False, True
        case "partial":
            return part, False, True
        case "receiving":
            return fiction.small_amount(asset), False, True
        case "paid":
            return asked, True, False
        case "over":
            return asked + max(1, asked // 20), True, False
        case "short":
            return part, True, False
        case "closed_unpaid":
            return 0, True, False
        case "expired_partial":
            return part, False, False
        case _:
            return fiction.small_amount(asset), False, False


def _expiry(fiction: Fiction, kind: str, created: int, now: int, *, is_open: bool) -> int:
    if is_open:
        soonest = now + fiction.random.choice((20 * MINUTE, 5 * HOUR, 2 * DAY, 9 * DAY, 21 * DAY))
        return min(soonest, created + MAX_LIFE)
    if kind in ("tip", "monetization", "expired_partial"):
        return created + max(30 * SECOND, min(10 * MINUTE, (now - created) // 2))
    return created + fiction.random.randint(2 * DAY, 30 * DAY)


def _bulk(fiction: Fiction, wallet: Wallet, count: int, now: int) -> Iterator[list[IncomingRow]]:
    """Make many older payments, several of which always have one and the same instant."""
    random = fiction.random
    year = to_datetime(now).year
    drafts = [fiction.invoice(wallet.asset, 0, year) for _ in range(200)]
    created, left, number = now - 12 * DAY, count, 10**6
    while left:
        lot: list[IncomingRow] = []
        while left and len(lot) < 10_000:
            group = min(left, random.randint(1, 12))
            for _ in range(group):
                number -= 1
                lot.append(_bulk_row(fiction, wallet, random.choice(drafts), number, created, now))
            left -= group
            created -= random.randint(5 * SECOND, 20 * SECOND)
        yield lot


def _bulk_row(
    fiction: Fiction, wallet: Wallet, draft: Draft, number: int, created: int, now: int
) -> IncomingRow:
    chance = fiction.random.random()
    asked = draft.asked or 0
    expires = created + MAX_LIFE
    received, completed = asked, True
    if chance < 0.05:
        received, completed = asked // 2, False
    elif chance < 0.12:
        received, completed, expires = asked // 3, False, created + HOUR
    elif chance < 0.15:
        received, completed = 0, expires <= now
    return IncomingRow(
        id=spell_uuid(fiction.random.getrandbits(128)),
        wallet=wallet.path,
        client=CLIENT,
        asked=asked,
        received=received,
        completed=completed,
        metadata=draft.metadata.replace("-0000", f"-{number:07d}", 1),
        created=created,
        expires=expires,
    )
