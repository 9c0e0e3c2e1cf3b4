"""reset_pg ends the subscriptions of the PG, and only those (rule 12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests import shopkeeper
from tests.jobs.resetting import (
    DELIVERY,
    EVENT,
    NOTICE_AT,
    RESET_AT,
    announced,
    cancel_mails,
    card_ids,
    charge,
    pg_changed,
    reset,
    reset_states,
    round_states,
    states,
    subscribed,
    two_pgs,
)
from tests.rig import Rig
from tests.shopkeeper import card, contract, credits_left, subscription


def test_a_fresh_change_ends_every_subscription_of_the_pg(any_rig: Rig) -> None:
    subscribed(any_rig, 3)
    pg_changed(any_rig)
    done = reset(any_rig)
    assert (done.counts["resets"], done.counts["cancelled"]) == (1, 3)
    assert states(any_rig) == {"S-1": "C", "S-2": "C", "S-3": "C"}
    assert reset_states(any_rig) == ["done"]


def test_the_shop_sees_when_and_why_it_ended(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    (ended,) = rig.shop("SELECT terminated_reason, terminated_date FROM subscription")
    (item,) = rig.shop("SELECT subscription_state FROM subscription_item")
    (log,) = rig.shop("SELECT event FROM subscription_log")
    assert ended["terminated_reason"] == "pg_reset"
    assert ended["terminated_date"] - datetime(2026, 12, 2, 13) < timedelta(minutes=2)
    assert (item["subscription_state"], log["event"]) == ("A", "auto_cancelled")


@pytest.mark.parametrize("state", ["U", "P"])
def test_paused_subscriptions_end_too(rig: Rig, state: str) -> None:
    subscribed(rig, subscription_state=state)
    pg_changed(rig)
    reset(rig)
    assert states(rig) == {"S-1": "C"}


def test_a_subscription_without_a_card_ends_too(rig: Rig) -> None:
    subscribed(rig, card_id=None)
    pg_changed(rig)
    reset(rig)
    assert states(rig) == {"S-1": "C"}


def test_a_subscription_that_ended_before_is_told_nothing(rig: Rig) -> None:
    subscribed(rig, subscription_state="C")
    pg_changed(rig)
    assert reset(rig).counts["cancelled"] == 0
    assert cancel_mails(rig) == []


def test_what_was_applied_for_after_the_change_goes_on(rig: Rig) -> None:
    subscribed(rig)
    subscription(
        rig,
        "S-later",
        delivery_on=date(2026, 12, 20),
        member_id="later",
        card_id=None,
        created_date=EVENT + timedelta(seconds=1),
    )
    pg_changed(rig)
    reset(rig)
    assert states(rig) == {"S-1": "C", "S-later": "U"}


def test_a_main_card_registered_after_the_change_saves_its_subscription(rig: Rig) -> None:
    subscribed(rig)
    newer = card(rig, "saved", registered_at=EVENT + timedelta(seconds=1))
    subscription(rig, "S-saved", delivery_on=DELIVERY, member_id="saved", card_id=newer)
    pg_changed(rig)
    reset(rig)
    assert states(rig) == {"S-1": "C", "S-saved": "U"}
    assert card_ids(rig) == [newer]


def test_another_pg_loses_a_backup_card_and_goes_on(rig: Rig) -> None:
    two_pgs(rig)
    pg_changed(rig)
    reset(rig)
    (other,) = rig.shop("SELECT * FROM subscription WHERE subscription_id = 'S-other'")
    assert other["subscription_state"] == "U"
    assert other["card_id"] is not None
    assert other["backup_card_id"] is None
    (kept,) = rig.shop("SELECT pg_code FROM card")
    assert kept["pg_code"] == "nicepay"


def test_rounds_sealed_and_due_are_void(rig: Rig) -> None:
    announced(rig, 2)
    rig.ours("UPDATE billing_round SET state = 'sealed', announced_on = NULL WHERE subscription_id = 'S-1'")
    pg_changed(rig)
    assert reset(rig).counts["voided"] == 2
    assert round_states(rig) == ["void", "void"]


def test_a_notice_that_waits_for_credit_expires(rig: Rig) -> None:
    subscribed(rig)
    shopkeeper.credits(rig, sms=0)
    rig.run("notify_d2", "--as-of", NOTICE_AT, check=1)
    pg_changed(rig)
    reset(rig)
    assert rig.ours("SELECT state FROM message WHERE channel = 'sms'") == [{"state": "expired"}]


def test_a_debited_notice_that_waits_is_refunded(rig: Rig) -> None:
    subscribed(rig)
    rig.config(sms={"base_url": "http://127.0.0.1:9"})
    rig.run("notify_d2", "--as-of", NOTICE_AT, check=75)
    assert credits_left(rig)["sms"] < 1_000
    pg_changed(rig)
    rig.config()
    reset(rig)
    assert credits_left(rig)["sms"] == 1_000


def test_a_round_paid_before_is_still_written_and_delivered(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    rig.shop("DELETE FROM order_item")
    rig.shop("DELETE FROM orders")
    rig.ours("UPDATE billing_round SET written_at = NULL")
    pg_changed(rig)
    reset(rig)
    assert round_states(rig) == ["paid"]
    assert len(rig.shop("SELECT order_id FROM orders")) == 1


def test_the_service_is_reset_if_it_was_in_use_before(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    (service,) = rig.shop("SELECT state, reset_at FROM subscription_service")
    assert service["state"] == "reset"


def test_a_service_taken_into_use_after_the_change_stays_in_use(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    contract(rig, in_use_at=EVENT + timedelta(minutes=10))
    rig.shop("UPDATE subscription_service SET in_use_at = :at", at=EVENT + timedelta(minutes=10))
    reset(rig)
    assert rig.shop("SELECT state FROM subscription_service") == [{"state": "in_use"}]


def test_a_second_run_changes_nothing(any_rig: Rig) -> None:
    announced(any_rig, 2)
    pg_changed(any_rig)
    reset(any_rig)
    before = any_rig.checksums()
    again = reset(any_rig)
    assert any_rig.checksums() == before
    assert again.counts["resets"] == again.counts["cancelled"] == 0


def test_a_dry_run_tells_and_changes_nothing(any_rig: Rig) -> None:
    announced(any_rig, 2)
    pg_changed(any_rig)
    before, asked = any_rig.checksums(exclude=()), len(any_rig.sandbox.toss.calls())
    told = any_rig.run("reset_pg", "--as-of", RESET_AT, "--dry-run")
    assert any_rig.checksums(exclude=()) == before
    assert len(any_rig.sandbox.toss.calls()) == asked
    assert told.summary["run_id"] is None


def test_new_cards_and_subscriptions_of_a_later_contract_are_left_alone(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    contract(rig, in_use_at=EVENT + timedelta(days=1))
    rig.shop("UPDATE subscription_service SET state = 'in_use', in_use_at = '2026-12-03 12:00:00'")
    newer = card(rig, "newcomer", registered_at=EVENT + timedelta(days=1))
    subscription(
        rig,
        "S-new",
        delivery_on=date(2026, 12, 10),
        member_id="newcomer",
        card_id=newer,
        created_date=EVENT + timedelta(days=1),
    )
    again = reset(rig, at="2026-12-04T09:00")
    assert (again.counts["resets"], states(rig)["S-new"], card_ids(rig)) == (0, "U", [newer])
    rig.run("notify_d2", "--as-of", "2026-12-08T09:00")
    assert charge(rig, at="2026-12-09T10:00").counts["paid"] == 1
