"""charge_d1 loses its database, or its life, at the worst moments between claim, reply and record."""

from __future__ import annotations

import signal
import time

import pytest

from lib.sandbox import Fault
from tests.jobs.charging import CHARGE_AT, announced, attempts, charge, charges, state
from tests.jobs.crowd import book_equals_ledger, crowd, states
from tests.kill.wire import COMMIT, SECONDS, Way, wired
from tests.rig import Rig

LATENCY = 2.0
LATER = "2026-12-02T10:05"
CLAIM, RECORD = b"INSERT INTO payment_attempt", b"INSERT INTO payment "


def _sources(rig: Rig) -> list[str]:
    return [row["source"] for row in rig.ours("SELECT source FROM payment")]


@pytest.mark.parametrize("way", ["lose the request", "lose the answer"])
@pytest.mark.parametrize("after", [CLAIM, RECORD], ids=["claim", "record"])
def test_a_commit_lost_on_the_wire_is_done_again_in_the_same_run(rig: Rig, way: Way, after: bytes) -> None:
    announced(rig)
    with wired(rig) as wire:
        trap = wire.set(way, after=after, then=COMMIT)
        ended = charge(rig)
        assert trap.sprung.is_set()
    assert (state(rig), attempts(rig), charges(rig)) == ("paid", ["approved"], 1)
    assert (ended.counts["due"], len(rig.shop("SELECT * FROM orders"))) == (1, 1)


@pytest.mark.parametrize("way", ["lose the request", "lose the answer"])
def test_a_commit_lost_while_the_order_is_written_writes_it_once(rig: Rig, way: Way) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = 10")
    with wired(rig) as wire:
        trap = wire.set(way, after=b"order_item", then=COMMIT)
        charge(rig)
        assert trap.sprung.is_set()
    assert (len(rig.shop("SELECT * FROM orders")), state(rig)) == (1, "paid")
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": 9}]


def test_killed_between_the_reply_and_its_record_the_spool_tells_the_database(rig: Rig) -> None:
    announced(rig)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=RECORD)
        process = rig.start("charge_d1", "--as-of", CHARGE_AT)
        assert trap.sprung.wait(SECONDS)
        process.kill()
        assert rig.finish(process).exit_code == -signal.SIGKILL
    assert (attempts(rig), _sources(rig)) == (["sending"], [])
    charge(rig, LATER)
    assert (state(rig), _sources(rig), charges(rig)) == ("paid", ["spool"], 1)


def test_killed_after_a_replay_that_was_the_charge_the_spool_tells_the_database(rig: Rig) -> None:
    rig.config(gateway={"tosspayments": {"lease": 1}})
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(rig)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=RECORD)
        process = rig.start("charge_d1", "--as-of", LATER)
        assert trap.sprung.wait(SECONDS)
        process.kill()
        rig.finish(process)
    assert (attempts(rig), _sources(rig)) == (["unknown"], [])
    charge(rig, "2026-12-02T10:10")
    assert (state(rig), _sources(rig), len(rig.sandbox.toss.approvals())) == ("paid", ["spool"], 1)


def test_a_database_that_goes_away_in_the_middle_loses_no_approval(rig: Rig) -> None:
    size = 20
    crowd(rig, size)
    rig.sandbox.toss.faults.latency_s = LATENCY
    with wired(rig) as wire:
        process = rig.start("charge_d1", "--as-of", CHARGE_AT, "--workers", "8")
        while len(attempts(rig)) < 8:
            time.sleep(0.01)
        time.sleep(LATENCY / 2)
        wire.go_down()
        ended = rig.finish(process)
    assert ended.exit_code == 75
    assert "데이터베이스가 응답하지 않습니다" in ended.stderr
    assert (len(rig.sandbox.toss.approvals()), _sources(rig)) == (8, [])
    rig.sandbox.toss.faults.clear()
    charge(rig, LATER)
    assert states(rig) == {"paid": size}
    assert book_equals_ledger(rig)
    assert sorted(_sources(rig)) == ["response"] * (size - 8) + ["spool"] * 8
