"""charge_d1: a declined round goes on to the backup card, then waits for the next slot."""

from __future__ import annotations

import pytest

from tests.jobs.charging import (
    BACKUP,
    HARD,
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

pytestmark = pytest.mark.rule(9, 10)

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


def test_a_slot_that_cron_missed_is_taken_by_the_next_run(rig: Rig) -> None:
    announced(rig, SOFT, "approve")
    charge(rig)
    charge(rig, "2026-12-03T03:00")
    assert (state(rig), attempts(rig)) == ("paid", ["declined", "approved"])


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


def test_a_hard_declined_round_without_a_new_card_fails_at_its_last_slot(rig: Rig) -> None:
    announced(rig, HARD)
    charge(rig)
    charge(rig, LAST)
    assert (state(rig), charges(rig)) == ("failed", 1)
