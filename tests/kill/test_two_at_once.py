"""Two charge_d1 at once share the work by compare-and-set alone."""

from __future__ import annotations

from collections import Counter

from lib.sandbox import Card
from tests.jobs.charging import CHARGE_AT, SOFT
from tests.jobs.crowd import book_equals_ledger, crowd, states
from tests.rig import Rig

SIZE = 500


def _two_at_once(rig: Rig) -> list[dict[str, int]]:
    started = [rig.start("charge_d1", "--as-of", CHARGE_AT) for _ in range(2)]
    ended = [rig.finish(process) for process in started]
    assert [run.exit_code for run in ended] == [0, 0]
    return [run.counts for run in ended]


def _charges_by_order(rig: Rig) -> Counter[str]:
    return Counter(call.order_no for call in rig.sandbox.toss.calls() if call.endpoint == "charge")


def test_two_runs_at_once_charge_five_hundred_rounds_once_each(rig: Rig) -> None:
    crowd(rig, SIZE)
    rig.sandbox.toss.faults.latency_s = 0.03
    counts = _two_at_once(rig)
    assert states(rig) == {"paid": SIZE}
    assert set(_charges_by_order(rig).values()) == {1}
    assert book_equals_ledger(rig)
    assert all(each["paid"] > 0 for each in counts)
    assert sum(each["paid"] for each in counts) == sum(each["due"] for each in counts) == SIZE
    assert len(rig.shop("SELECT order_id FROM orders")) == sum(each["written"] for each in counts) == SIZE
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": 0}]


def test_two_runs_at_once_try_a_declined_card_once(rig: Rig) -> None:
    size = 100
    crowd(rig, size)
    rig.sandbox.toss.register(*(Card(f"bk-{number}", script=(SOFT,)) for number in range(1, size + 1)))
    rig.sandbox.toss.faults.latency_s = 0.03
    counts = _two_at_once(rig)
    assert (len(_charges_by_order(rig)), sum(each["declined"] for each in counts)) == (size, size)
    assert rig.ours("SELECT MAX(attempt_no) AS last FROM payment_attempt") == [{"last": 1}]
