"""One of several processes polls."""

from __future__ import annotations

from pathlib import Path

from opdash.ledger.records import Scope
from opdash.service.duty import PollingDuty

SHOP = "https://ilp.example/shop"


def test_one_has_it_until_it_gives_it_up(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    one, two = (PollingDuty(ledger, SHOP, Scope.OWN) for _ in range(2))
    assert one.take()
    assert one.take()
    assert not two.take()
    assert (one.is_held, two.is_held) == (True, False)
    one.give_up()
    one.give_up()
    assert two.take()
    assert not one.take()
    two.give_up()


def test_wallets_and_scopes_are_polled_apart(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    duties = [
        PollingDuty(ledger, SHOP, Scope.OWN),
        PollingDuty(ledger, SHOP, Scope.EVERYTHING),
        PollingDuty(ledger, "https://ilp.example/other", Scope.OWN),
        PollingDuty(tmp_path / "other.sqlite3", SHOP, Scope.OWN),
    ]
    assert all(duty.take() for duty in duties)
    for duty in duties:
        duty.give_up()


def test_the_lock_is_for_its_owner_only(tmp_path: Path) -> None:
    duty = PollingDuty(tmp_path / "ledger.sqlite3", SHOP, Scope.OWN)
    duty.take()
    (lock,) = tmp_path.iterdir()
    assert lock.stat().st_mode & 0o777 == 0o600
    duty.give_up()
    assert lock.exists()


def test_where_no_lock_can_be_had_everybody_polls(tmp_path: Path) -> None:
    duty = PollingDuty(tmp_path / "nowhere" / "ledger.sqlite3", SHOP, Scope.OWN)
    assert duty.take()
    assert not duty.is_held
