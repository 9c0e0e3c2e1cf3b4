"""charge_d1: a declined round goes on to the backup card, then waits for the next slot."""

from __future__ import annotations

import pytest

from tests.jobs.charging import (
    BACKUP,
    HARD,
    MAIN,
    SOFT,
    announced,
    attempts,
    charge,
    charges,
    due_at,
    give_backup,
    mails,
    state,
)
from tests.rig import Rig
from tests.shopkeeper import card

SLOTS = [f"2026-12-0{day}T{hour}:00" for day in (2, 3, 4) for hour in (10, 17)]
LAST = SLOTS[-1]


def _paying_cards(rig: Rig) -> list[str]:
    return [approval.billing_key for approval in rig.sandbox.toss.approvals()]


def test_a_decline_goes_on_to_the_backup_card_in_the_same_run(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    ended = charge(rig)
    assert (attempts(rig), _paying_cards(rig)) == (["declined", "approved"], [BACKUP])
    assert (ended.counts["due"], ended.counts["paid"], ended.counts["declined"]) == (1, 1, 1)
    assert mails(rig, "payment_declined") == []


def test_without_the_policy_the_backup_card_is_left_alone(rig: Rig) -> None:
    rig.config(policy={"backup_card": False})
    announced(rig, SOFT)
    give_backup(rig)
    charge(rig)
    assert (attempts(rig), due_at(rig)) == (["declined"], "2026-12-02T17:00")


def test_a_round_both_cards_decline_waits_for_the_next_slot(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig, SOFT)
    charge(rig)
    assert (state(rig), attempts(rig), due_at(rig)) == ("due", ["declined"] * 2, "2026-12-02T17:00")


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        ("2026-12-02T08:30", "2026-12-02T10:00"),
        ("2026-12-02T10:00", "2026-12-02T17:00"),
        ("2026-12-02T17:00", "2026-12-03T10:00"),
        ("2026-12-04T16:00", "2026-12-04T17:00"),
    ],
)
def test_a_declined_round_is_due_at_the_next_slot(rig: Rig, at: str, slot: str) -> None:
    announced(rig, SOFT)
    charge(rig, at)
    assert due_at(rig) == slot


def test_between_the_slots_nothing_is_tried(rig: Rig) -> None:
    announced(rig, SOFT)
    charge(rig)
    charge(rig, "2026-12-02T16:59")
    assert charges(rig) == 1


def test_a_slot_that_cron_missed_is_taken_by_the_next_run(rig: Rig) -> None:
    announced(rig, SOFT, "approve")
    charge(rig)
    charge(rig, "2026-12-03T03:00")
    assert (state(rig), attempts(rig)) == ("paid", ["declined", "approved"])


def test_the_customer_hears_of_a_decline_once(rig: Rig) -> None:
    announced(rig, SOFT)
    for slot in SLOTS[:3]:
        charge(rig, slot)
    assert (attempts(rig), mails(rig, "payment_declined")) == (["declined"] * 3, [("customer", "accepted")])


def test_declined_at_every_slot_the_round_fails_and_its_items_move_on(rig: Rig) -> None:
    given = announced(rig, SOFT)
    ended = [charge(rig, slot) for slot in SLOTS]
    assert (attempts(rig), state(rig), ended[-1].counts["failed"]) == (["declined"] * 6, "failed", 1)
    assert mails(rig, "payment_failed") == [("customer", "accepted"), ("operator", "accepted")]
    (item,) = rig.shop("SELECT * FROM subscription_item")
    assert (item["subscription_item_id"], str(item["expected_delivery_date"])) == (
        given.item_id,
        "2027-01-03",
    )
    assert item["subscription_shipments_sequence"] == 1
    assert rig.shop("SELECT * FROM orders") == []


def test_after_the_last_day_a_declined_round_fails_without_another_try(rig: Rig) -> None:
    announced(rig, SOFT, "approve")
    charge(rig)
    ended = charge(rig, "2026-12-05T09:00")
    assert (state(rig), charges(rig), ended.counts["failed"]) == ("failed", 1, 1)


def test_after_the_last_day_a_round_without_any_decline_is_missed(rig: Rig) -> None:
    announced(rig)
    ended = charge(rig, "2026-12-05T09:00", check=1)
    assert (state(rig), charges(rig), ended.counts["missed"]) == ("missed", 0, 1)


def test_a_hard_decline_waits_for_a_new_card(rig: Rig) -> None:
    announced(rig, HARD)
    charge(rig)
    charge(rig, "2026-12-02T17:00")
    assert (state(rig), charges(rig), due_at(rig)) == ("due", 1, "2026-12-03T10:00")
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig, billing_key="bk-new"))
    charge(rig, "2026-12-03T10:00")
    assert (state(rig), _paying_cards(rig)) == ("paid", ["bk-new"])


def test_a_hard_declined_round_without_a_new_card_fails_at_its_last_slot(rig: Rig) -> None:
    announced(rig, HARD)
    charge(rig)
    charge(rig, LAST)
    assert (state(rig), charges(rig)) == ("failed", 1)


def test_only_the_hard_declined_card_is_out(rig: Rig) -> None:
    announced(rig, HARD)
    give_backup(rig, SOFT, "approve")
    charge(rig)
    charge(rig, "2026-12-02T17:00")
    assert (attempts(rig), _paying_cards(rig)) == (["declined", "declined", "approved"], [BACKUP])


def test_the_soft_declined_main_card_comes_first_again_at_the_next_slot(rig: Rig) -> None:
    announced(rig, SOFT, "approve")
    give_backup(rig, SOFT)
    charge(rig)
    charge(rig, "2026-12-02T17:00")
    assert _paying_cards(rig) == [MAIN]


def test_a_declined_round_is_voided_when_its_subscription_is_cancelled(rig: Rig) -> None:
    announced(rig, SOFT)
    charge(rig)
    rig.shop("UPDATE subscription SET subscription_state = 'C'")
    charge(rig, "2026-12-02T17:00")
    assert (state(rig), charges(rig)) == ("void", 1)


def test_fewer_days_mean_fewer_slots(rig: Rig) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["09:00", "12:00"]})
    announced(rig, SOFT)
    charge(rig, "2026-12-02T09:00")
    assert due_at(rig) == "2026-12-02T12:00"
    charge(rig, "2026-12-02T12:00")
    assert state(rig) == "failed"
