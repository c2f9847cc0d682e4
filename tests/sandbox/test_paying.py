"""Money that travels: packets, coverage, what is refused, and the outgoing payment left behind."""

from __future__ import annotations

from typing import Any

import pytest

from opdash.sandbox.process import SandboxError, SandboxProcess
from tests.sandbox.scene import NO_UUID, usd
from tests.sandbox.support import RawClient


@pytest.fixture
def paid(fresh_sandbox: SandboxProcess) -> Any:
    client = RawClient(fresh_sandbox)
    yield Payments(client)
    client.close()


class Payments:
    """Creates payments of a wallet address and looks at them."""

    def __init__(self, client: RawClient) -> None:
        self.client = client
        self.sandbox = client.sandbox
        self.token = client.token()

    def asking(self, value: int, wallet: int = 0, **more: Any) -> str:
        address = self.sandbox.wallet_addresses[wallet]
        description = self.client.plain("GET", address).json()
        amount = {
            "value": str(value),
            "assetCode": description["assetCode"],
            "assetScale": description["assetScale"],
        }
        made = self.client.create(address, self.token, incomingAmount=amount, **more)
        return str(made.json()["id"])

    def open_ended(self) -> str:
        return str(self.client.create(self.sandbox.main_wallet, self.token).json()["id"])

    def received(self, payment: str) -> tuple[int, bool]:
        found = self.sandbox.state(payment)["payment"]
        return int(found["receivedAmount"]["value"]), found["completed"]

    def outgoing(self, url: str) -> dict[str, Any]:
        access = {
            "type": "outgoing-payment",
            "actions": ["read-all"],
            "identifier": self.sandbox.sender,
        }
        token = self.client.consented_token(access)
        found: dict[str, Any] = self.client.send("GET", url, token=token).json()
        return found


def test_money_takes_a_moment(paid: Payments) -> None:
    payment = paid.asking(1000)

    paid.sandbox.pay(payment)
    at_once = paid.received(payment)
    paid.sandbox.advance(0.3)

    assert at_once == (0, False)
    assert paid.received(payment) == (1000, True)


def test_packets_arrive_one_by_one(paid: Payments) -> None:
    payment = paid.asking(1000)
    paid.sandbox.pay(payment, packets=4)
    seen = []
    for _ in range(60):
        paid.sandbox.advance(0.05)
        seen.append(paid.received(payment))

    assert sorted(set(seen)) == [
        (0, False),
        (250, False),
        (500, False),
        (750, False),
        (1000, True),
    ]
    assert seen == sorted(seen)


def test_a_large_amount_is_cut_by_itself(paid: Payments) -> None:
    payment = paid.asking(500_000)
    paid.sandbox.pay(payment)
    seen = set()
    for _ in range(60):
        paid.sandbox.advance(0.05)
        seen.add(paid.received(payment)[0])

    assert len(seen) > 3
    assert max(seen) == 500_000


def test_one_packet_may_bring_too_much(paid: Payments) -> None:
    payment = paid.asking(1000)

    paid.sandbox.pay(payment, 1300)
    paid.sandbox.advance(1)

    assert paid.received(payment) == (1300, True)


def test_what_comes_after_coverage_is_not_taken(paid: Payments) -> None:
    payment = paid.asking(1000)

    outgoing = paid.sandbox.pay(payment, 2000, packets=4)
    paid.sandbox.advance(5)

    assert paid.received(payment) == (1000, True)
    found = paid.outgoing(outgoing)
    assert (found["failed"], found["sentAmount"], found["receiveAmount"]) == (
        True,
        usd("1000"),
        usd("2000"),
    )


def test_without_an_amount_what_is_missing_is_paid(paid: Payments) -> None:
    payment = paid.asking(1000)
    paid.sandbox.pay(payment, 400)
    paid.sandbox.advance(1)

    paid.sandbox.pay(payment)
    paid.sandbox.advance(1)

    assert paid.received(payment) == (1000, True)


def test_open_ended_payments_never_complete(paid: Payments) -> None:
    payment = paid.open_ended()
    for amount in (100, 250):
        paid.sandbox.pay(payment, amount)
        paid.sandbox.advance(1)

    assert paid.received(payment) == (350, False)
    with pytest.raises(SandboxError, match="asks for no amount"):
        paid.sandbox.pay(payment)


def test_money_that_comes_too_late_is_sent_back(paid: Payments) -> None:
    payment = paid.asking(1000)
    paid.sandbox.advance(30 * 86_400 - 1)

    outgoing = paid.sandbox.pay(payment, packets=20)
    paid.sandbox.advance(10)

    received, completed = paid.received(payment)
    assert 0 < received < 1000
    assert not completed
    found = paid.outgoing(outgoing)
    assert found["failed"] is True
    assert found["sentAmount"]["value"] == str(received)


def test_a_sender_may_run_out_of_money(paid: Payments) -> None:
    payment = paid.asking(1000)

    outgoing = paid.sandbox.pay(payment, packets=4, fails=True)
    paid.sandbox.advance(2)

    assert paid.received(payment) == (750, False)
    found = paid.outgoing(outgoing)
    assert (found["failed"], found["sentAmount"]) == (True, usd("750"))
    assert found["metadata"]["cancellationReason"]


def test_only_open_payments_take_money(paid: Payments) -> None:
    completed, vanished = paid.asking(1000), paid.asking(1000)
    paid.client.send("POST", f"{completed}/complete", token=paid.token)
    for payment in (completed,):
        with pytest.raises(SandboxError, match="takes no money"):
            paid.sandbox.pay(payment)
    paid.sandbox.advance(31 * 86_400)
    with pytest.raises(SandboxError, match="takes no money"):
        paid.sandbox.pay(vanished)
    with pytest.raises(SandboxError, match="no such incoming payment"):
        paid.sandbox.pay(vanished.rpartition("/")[0] + f"/{NO_UUID}")


@pytest.mark.parametrize("amount", ["0", "-1", "1.5", "ten", str(2**63), "٣", ""])
def test_amounts_that_are_none_are_refused(raw: RawClient, amount: str) -> None:
    payment = raw.create(raw.sandbox.main_wallet, raw.token()).json()["id"]

    order = {"payment": payment, "amount": amount}
    answer = raw.plain("POST", raw.sandbox.url + "/sandbox/pay", json=order)

    assert answer.status_code == 400


def test_orders_in_forms_are_refused(raw: RawClient) -> None:
    answer = raw.plain("POST", raw.sandbox.url + "/sandbox/pay", data={"payment": "x"})

    assert answer.status_code == 415


@pytest.mark.parametrize("wallet", [0, 1, 2, 3])
@pytest.mark.parametrize("amount", [1, 10**6, 2**63 - 1])
def test_all_assets_and_sizes_can_be_sent(
    sandbox: SandboxProcess, wallet: int, amount: int
) -> None:
    client = RawClient(sandbox)
    payments = Payments(client)
    payment = payments.asking(amount, wallet)

    outgoing = sandbox.pay(payment, packets=1)
    sandbox.advance(1)

    assert payments.received(payment) == (amount, True)
    found = payments.outgoing(outgoing)
    sent, debit = (int(found[name]["value"]) for name in ("sentAmount", "debitAmount"))
    assert 0 < sent < debit < 2**64
    assert found["receiveAmount"]["value"] == str(amount)
    client.close()
