"""What becomes of the rounds of subscriptions that a PG reset ends (rule 12)."""

from __future__ import annotations

import json

import pytest

from lib.sandbox import Card
from tests import shopkeeper
from tests.jobs.charging import HARD, SOFT
from tests.jobs.resetting import (
    DELIVERY,
    EVENT,
    LOST_REPLY,
    LOST_REQUEST,
    NOTICE_AT,
    PG,
    RESET_AT,
    announced,
    attempt_states,
    cancel_mails,
    charge,
    charges,
    matters,
    pg_changed,
    reset,
    round_states,
    states,
    subscribed,
    unknown_attempt,
)
from tests.ops.desk import approve, order_no, settle, tid
from tests.rig import Rig
from tests.shopkeeper import Item, credits_left, subscription

pytestmark = pytest.mark.rule(12)

LATER = "2026-12-03T10:00"
SETTLED_AT = "2026-12-02T15:00"


def orders(rig: Rig) -> int:
    return len(rig.shop("SELECT order_id FROM orders"))


def notices(rig: Rig) -> dict[str, str]:
    rows = rig.ours(
        "SELECT recipient, channel, state FROM message WHERE kind IN ('payment_notice', 'payment_declined')"
    )
    return {f"{row['recipient']} {row['channel']}": row["state"] for row in rows}


def test_rounds_sealed_and_due_are_void_and_their_items_free(rig: Rig) -> None:
    announced(rig, 2)
    rig.ours("UPDATE billing_round SET state = 'sealed', announced_on = NULL WHERE subscription_id = 'S-1'")
    pg_changed(rig)
    assert reset(rig).counts["voided"] == 2
    assert round_states(rig) == ["void", "void"]
    assert rig.ours("SELECT item_id FROM billing_round_item WHERE released_at IS NULL") == []
    logged = rig.shop("SELECT event FROM subscription_log WHERE subscription_id = 'S-1' ORDER BY log_no")
    assert [row["event"] for row in logged] == ["round_sealed", "round_void", "auto_cancelled"]


@pytest.mark.parametrize("state", ["held", "in_doubt", "failed", "missed", "skipped", "void"])
def test_a_round_that_waits_for_a_person_or_is_over_stays_as_it_is(sqlite_rig: Rig, state: str) -> None:
    announced(sqlite_rig)
    sqlite_rig.ours("UPDATE billing_round SET state = :state, state_reason = '그대로'", state=state)
    before = sqlite_rig.ours("SELECT * FROM billing_round")
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["voided"] == 0
    assert (sqlite_rig.ours("SELECT * FROM billing_round"), states(sqlite_rig)) == (before, {"S-1": "C"})


def test_a_round_that_waits_for_another_try_after_a_decline_is_void(rig: Rig) -> None:
    subscribed(rig)
    rig.sandbox.toss.register(Card("bk-member1-1=", script=(SOFT,)))
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    assert charge(rig).counts["declined"] == 1
    pg_changed(rig)
    reset(rig)
    assert round_states(rig) == ["void"]
    charge(rig, at="2026-12-02T17:00")
    assert (len(charges(rig)), attempt_states(rig)) == (1, ["declined"])


def test_nobody_is_told_of_another_try_that_will_not_come(rig: Rig) -> None:
    subscribed(rig)
    shopkeeper.mail_switch(rig, "payment_notice", "F", "F")
    shopkeeper.sms_switch(rig, customer="F")
    shopkeeper.credits(rig, bulk_mail=0)
    rig.sandbox.toss.register(Card("bk-member1-1=", script=(SOFT,)))
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    charge(rig, check=1)
    assert notices(rig) == {"customer mail": "no_credit"}
    pg_changed(rig)
    reset(rig)
    assert notices(rig) == {"customer mail": "expired"}


def test_the_mail_about_a_payment_that_failed_before_still_goes(rig: Rig) -> None:
    subscribed(rig)
    shopkeeper.credits(rig, bulk_mail=0)
    rig.config(policy={"retry_days": 1, "retry_times": ["10:00"], "debit_notice_mail": True})
    rig.sandbox.toss.register(Card("bk-member1-1=", script=(HARD,)))
    rig.run("notify_d2", "--as-of", NOTICE_AT, check=1)
    charge(rig)
    pg_changed(rig)
    reset(rig, check=None)
    rig.shop("UPDATE message_credit SET balance = 10 WHERE channel = 'bulk_mail'")
    rig.remember_credits()
    reset(rig, at="2026-12-02T14:00")
    told = rig.ours("SELECT recipient, state FROM message WHERE kind = 'payment_failed' ORDER BY recipient")
    assert (round_states(rig), [row["state"] for row in told]) == (["failed"], ["accepted", "accepted"])


def test_notices_that_wait_for_credit_or_for_the_provider_expire_and_debits_come_back(rig: Rig) -> None:
    subscribed(rig)
    shopkeeper.credits(rig, bulk_mail=1)
    rig.config(sms={"base_url": "http://127.0.0.1:9"})
    rig.run("notify_d2", "--as-of", NOTICE_AT, check=75)
    assert notices(rig) == {
        "customer mail": "accepted",
        "customer sms": "queued",
        "operator mail": "no_credit",
    }
    assert credits_left(rig)["sms"] < 1_000
    pg_changed(rig)
    rig.config()
    reset(rig)
    assert notices(rig) == {
        "customer mail": "accepted",
        "customer sms": "expired",
        "operator mail": "expired",
    }
    assert credits_left(rig) == {"bulk_mail": 0, "sms": 1_000}


def test_what_was_charged_before_stays_paid_and_is_delivered(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    order = rig.shop("SELECT * FROM orders")
    pg_changed(rig)
    reset(rig)
    assert (round_states(rig), states(rig), rig.shop("SELECT * FROM orders")) == (
        ["paid"],
        {"S-1": "C"},
        order,
    )
    assert len(order) == 1


def test_what_was_paid_and_not_written_is_written_by_the_reset(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    rig.shop("DELETE FROM order_item")
    rig.shop("DELETE FROM orders")
    rig.ours("UPDATE billing_round SET written_at = NULL")
    pg_changed(rig)
    reset(rig)
    assert (round_states(rig), orders(rig)) == (["paid"], 1)


def test_a_last_delivery_written_after_the_end_tells_the_customer_no_second_time(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    rig.shop("UPDATE subscription_item SET max_delivery_limit = 1")
    pg_changed(rig)
    reset(rig)
    assert (round_states(rig), orders(rig), len(cancel_mails(rig))) == (["paid"], 1, 2)
    assert rig.shop("SELECT terminated_reason FROM subscription") == [{"terminated_reason": "pg_reset"}]


def test_a_doubt_that_turns_out_charged_is_paid_and_delivered_after_the_reset(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    rig.sandbox.toss.switches = type(rig.sandbox.toss.switches)(inquiry_lag_s=86_400)
    pg_changed(rig)
    reset(rig, check=1)
    assert (round_states(rig), states(rig)) == (["in_doubt"], {"S-1": "C"})
    approve(rig, order_no(rig))
    charge(rig, at=LATER)
    assert (round_states(rig), orders(rig), states(rig)) == (["paid"], 1, {"S-1": "C"})


def test_an_approval_that_another_host_spooled_is_taken_after_the_reset(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    rig.sandbox.toss.switches = type(rig.sandbox.toss.switches)(inquiry_lag_s=86_400)
    pg_changed(rig)
    reset(rig, check=1)
    line = {"pg_code": PG, "tid": tid(rig), "order_no": order_no(rig), "amount_krw": 12_900}
    spooled = rig.folder / "spool" / "approvals-left.jsonl"
    spooled.write_text(json.dumps({**line, "approval_no": "1", "kind": "approve", "seq": 0}) + "\n")
    charge(rig, at=LATER)
    assert (round_states(rig), attempt_states(rig), orders(rig)) == (["paid"], ["approved"], 1)
    assert matters(rig) == []


def test_a_doubt_that_turns_out_not_charged_is_void_and_never_charged(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REQUEST)
    pg_changed(rig)
    reset(rig, check=1)
    settle(rig, order_no(rig), "--not-charged", at=SETTLED_AT)
    sent = charges(rig)
    charge(rig, at=LATER)
    assert (round_states(rig), charges(rig)) == (["void"], sent)


def test_a_held_round_that_a_person_lets_go_is_void_and_never_charged(rig: Rig) -> None:
    announced(rig)
    rig.ours("UPDATE billing_round SET state = 'held'")
    round_id = str(rig.ours("SELECT round_id FROM billing_round")[0]["round_id"])
    pg_changed(rig)
    reset(rig)
    settle(rig, round_id, "--due", at=SETTLED_AT)
    charge(rig, at=LATER)
    assert (round_states(rig), charges(rig)) == (["void"], [])


def test_a_round_of_one_that_was_cancelled_before_is_void_at_the_next_charge(sqlite_rig: Rig) -> None:
    announced(sqlite_rig)
    sqlite_rig.shop("UPDATE subscription SET subscription_state = 'C', terminated_reason = '고객 변심'")
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["voided"] == 0
    assert charge(sqlite_rig, at=LATER).counts["void"] == 1
    assert (round_states(sqlite_rig), charges(sqlite_rig)) == (["void"], [])


def test_a_round_that_costs_nothing_is_not_delivered_after_the_end(rig: Rig) -> None:
    subscribed(rig, items=(Item(price=0),))
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    pg_changed(rig)
    reset(rig)
    charge(rig, at=LATER)
    assert (round_states(rig), orders(rig)) == (["void"], 0)


def test_nothing_of_what_ended_is_sealed_or_charged_any_more(sqlite_rig: Rig) -> None:
    announced(sqlite_rig)
    subscription(sqlite_rig, "S-next", delivery_on=DELIVERY.replace(day=4), member_id="member1")
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    before = sqlite_rig.checksums()
    for day in (2, 3, 4, 5):
        sqlite_rig.run("notify_d2", "--as-of", f"2026-12-0{day}T14:00")
        charge(sqlite_rig, at=f"2026-12-0{day}T17:00")
    assert sqlite_rig.checksums() == before


def test_between_the_event_and_the_reset_nothing_is_charged(rig: Rig) -> None:
    announced(rig)
    pg_changed(rig, at=EVENT.replace(hour=9))
    charge(rig, check=1)
    assert (round_states(rig), charges(rig)) == (["due"], [])
    reset(rig, at=RESET_AT)
    assert round_states(rig) == ["void"]
