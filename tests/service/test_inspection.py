"""The last requests are kept, within bounds, and free of secrets."""

from __future__ import annotations

import gc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.openpayments.traces import LONGEST_BODY, Trace
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.inspection import Inspected, RequestLog, both
from opdash.settings import ConsentWay, Profile, Settings, SettingsStore
from tests.openpayments.test_traces import sight
from tests.tui.test_forms_on_sandbox import HurriedClock


def trace(number: int = 1, size: int = 2) -> Trace:
    return Trace.of(sight(number=number, answer=b"x" * size))


def numbers(log: RequestLog) -> list[int]:
    return [one.number for one in log.newest_first()]


def test_the_newest_are_kept() -> None:
    log = RequestLog(3)
    for number in range(5):
        log.add("shop", trace(number))
    assert numbers(log) == [5, 4, 3]
    assert log.count == 5
    assert log.newest_first()[0] == Inspected(5, "shop", trace(4))


def test_nothing_is_collected_where_none_are_kept() -> None:
    assert RequestLog(0).tracer("shop") is None


def test_requests_of_all_sessions_come_together() -> None:
    log = RequestLog(9)
    for profile in ("shop", "tips"):
        tracer = log.tracer(profile)
        assert tracer is not None
        tracer(trace())
    assert [one.profile for one in log.newest_first()] == ["tips", "shop"]


def test_bodies_of_the_oldest_go_first_and_are_counted() -> None:
    log = RequestLog(9, most_bytes=25_000)
    for number in range(4):
        log.add("shop", trace(number, 10_000))
    newest, second, third, oldest = (one.trace for one in log.newest_first())
    assert newest.answer == second.answer == "x" * 10_000
    assert (third.answer, third.answer_cut) == (None, 10_000)
    assert (oldest.answer, oldest.answer_cut) == (None, 10_000)
    assert "… and 10000 characters more" in oldest.report()
    assert log.size <= 25_000


def test_the_newest_stays_whole_however_large_it_is() -> None:
    log = RequestLog(9, most_bytes=1000)
    for number in range(40):
        log.add("shop", trace(number, 5000))
    (newest, *others) = log.newest_first()
    assert newest.trace.answer == "x" * 5000
    assert all(one.trace.answer is None for one in others)


@given(st.lists(st.integers(0, 3000), max_size=40), st.integers(1, 9), st.integers(200, 9000))
def test_the_bounds_hold_and_the_count_of_bytes_is_right(
    sizes: list[int], most: int, most_bytes: int
) -> None:
    log = RequestLog(most, most_bytes)
    for number, size in enumerate(sizes):
        log.add("shop", trace(number, size))
        kept = log.newest_first()
        assert len(kept) <= most
        assert kept[0].trace.answer is not None
        assert [one.number for one in kept] == list(range(number + 1, number + 1 - len(kept), -1))
        again = RequestLog(most, 10**9)
        for one in reversed(kept):
            again.add("shop", one.trace)
        assert log.size == again.size
        assert log.size <= most_bytes or len(kept) == 1


def test_memory_is_bounded_by_bytes_too() -> None:
    import tracemalloc

    log = RequestLog(200)
    tracemalloc.start()
    try:
        for number in range(300):
            body = ("“" + "y" * LONGEST_BODY)[:LONGEST_BODY]
            log.add("shop", Trace.of(sight(number=number, answer=body.encode())))
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(log.newest_first()) == 200
    assert held < 5 * 1024 * 1024


def test_two_tracers_are_both_handed_a_trace() -> None:
    first: list[Trace] = []
    second: list[Trace] = []
    handing = both(first.append, second.append)
    assert handing is not None
    handing(trace())
    assert first == second == [trace()]
    alone = both(None, second.append)
    assert alone is not None
    alone(trace())
    assert len(second) == 2
    assert both(None, None) is None


def dashboard_of(sandbox: SandboxProcess, home: Path, **more: object) -> Dashboard:
    store = SettingsStore(home / "config.toml")
    profile = Profile(
        "shop",
        sandbox.main_wallet,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
        consent=ConsentWay.POLLING,
    )
    store.save(replace(Settings((profile,)), inspector_requests=50))
    return Dashboard(store, home / "data", HurriedClock(), **more)  # type: ignore[arg-type]


async def test_a_sessions_requests_are_kept_from_its_first(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    witnessed: list[tuple[str, Trace]] = []
    dashboard = dashboard_of(sandbox, tmp_path, witness=lambda *what: witnessed.append(what))
    try:
        await dashboard.session("shop").poll_once()
        await dashboard.probe(sandbox.sender)
        kept = dashboard.requests.newest_first()
    finally:
        await dashboard.stop()
    assert dashboard.requests.most == 50
    probe, *own = kept
    assert (probe.profile, probe.trace.url) == ("", sandbox.sender)
    assert {one.profile for one in own} == {"shop"}
    assert any("/incoming-payments?" in one.trace.url and one.trace.is_signed for one in own)
    assert [(one.profile, one.trace) for one in reversed(kept)] == witnessed


async def test_nothing_is_kept_where_nobody_can_look(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    dashboard = dashboard_of(sandbox, tmp_path, inspected=False)
    try:
        await dashboard.session("shop").poll_once()
    finally:
        await dashboard.stop()
    assert dashboard.requests.newest_first() == ()
