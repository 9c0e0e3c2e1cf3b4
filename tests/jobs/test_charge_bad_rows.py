"""charge_d1: one bad row never stops a run, and money that moved for it is recorded all the same."""

from __future__ import annotations

import pytest

from lib.billing.numbers import order_no
from lib.sandbox import Card, Fault
from tests.jobs.charging import DELIVERY, NOTICE_AT, SOFT, announced, charge, matters
from tests.rig import Rig
from tests.shopkeeper import card, subscription

pytestmark = pytest.mark.rule(14)

BAD, GOOD = "S-1", ("S-2", "S-3")
MORNING_AFTER_THE_LAST_DAY = "2026-12-05T09:00"


def _three(rig: Rig, *script: str) -> None:
    """Announce three rounds; the first is the one that goes bad."""
    announced(rig, *script)
    for place, key in enumerate(GOOD, start=2):
        made = card(rig, billing_key=f"bk-{place}")
        rig.sandbox.toss.register(Card(f"bk-{place}", script=script or ("approve",)))
        subscription(rig, key, delivery_on=DELIVERY, card_id=made)
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def _states(rig: Rig) -> list[str]:
    rows = rig.ours("SELECT state FROM billing_round ORDER BY subscription_id")
    return [row["state"] for row in rows]


def _spoil(rig: Rig, table: str, change: str) -> None:
    rig.shop(f"UPDATE {table} SET {change} WHERE subscription_id = '{BAD}'")


def test_a_round_that_cannot_be_claimed_is_told_and_the_others_are_charged(rig: Rig) -> None:
    _three(rig)
    rig.ours(f"UPDATE billing_round SET announced_on = NULL WHERE subscription_id = '{BAD}'")
    ended = charge(rig, check=1)
    assert (_states(rig), matters(rig)) == (["due", "paid", "paid"], ["bad_row"])
    assert ended.counts["paid"] == 2
    charge(rig, "2026-12-02T10:05")


def test_a_taken_order_number_stops_only_its_own_round(rig: Rig) -> None:
    _three(rig)
    rig.ours(
        "INSERT INTO payment_attempt (round_id, attempt_no, pg_code, order_no, order_name, amount_krw, "
        "card_id, state, request_digest, sent_at, sent_on, lease_until) "
        "VALUES (-1, 1, 'tosspayments', :order_no, '', 100, 1, 'declined', '', "
        "'2026-12-02', '2026-12-02', '2026-12-02')",
        order_no=order_no(1, BAD, DELIVERY, 1),
    )
    charge(rig, check=1)
    assert (_states(rig), matters(rig)) == (["due", "paid", "paid"], ["bad_row"])


def test_an_order_that_cannot_be_written_waits_until_its_row_is_corrected(rig: Rig) -> None:
    _three(rig)
    _spoil(rig, "subscription_item", "subscription_shipments_cycle = '9X'")
    ended = charge(rig, check=1)
    assert (_states(rig), ended.counts["written"], matters(rig)) == (["paid"] * 3, 2, ["bad_row"])
    charge(rig, "2026-12-02T10:05")
    _spoil(rig, "subscription_item", "subscription_shipments_cycle = '1M'")
    ended = charge(rig, "2026-12-02T10:10")
    assert (ended.counts["written"], matters(rig)) == (1, [])


def test_a_last_decline_that_cannot_be_carried_through_is_recorded_and_held(rig: Rig) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["10:00"]})
    _three(rig, SOFT)
    _spoil(rig, "subscription_item", "subscription_shipments_cycle = '9X'")
    ended = charge(rig, check=1)
    assert (_states(rig), ended.counts["failed"]) == (["held", "failed", "failed"], 2)
    assert {row["state"] for row in rig.ours("SELECT state FROM payment_attempt")} == {"declined"}


def test_a_round_that_cannot_be_failed_for_its_item_is_told(rig: Rig) -> None:
    _three(rig, SOFT)
    charge(rig)
    _spoil(rig, "subscription_item", "subscription_shipments_cycle = '9X'")
    charge(rig, MORNING_AFTER_THE_LAST_DAY, check=1)
    assert (_states(rig), matters(rig)) == (["due", "failed", "failed"], ["bad_row"])


def test_a_replay_whose_round_cannot_be_read_is_an_inquiry(rig: Rig) -> None:
    _three(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(rig, "2026-12-02T10:00", "--subscription", BAD)
    rig.ours(f"UPDATE billing_round SET announced_on = NULL WHERE subscription_id = '{BAD}'")
    charge(rig, "2026-12-02T10:05")
    assert [call.endpoint for call in rig.sandbox.toss.calls()][:2] == ["charge", "inquiry"]
    assert _states(rig) == ["charging", "paid", "paid"]
    rig.ours(f"UPDATE billing_round SET announced_on = '2026-12-01' WHERE subscription_id = '{BAD}'")
