"""What a PG reset leaves behind for the shop, and what it does when it is run again (rule 12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.jobs.resetting import (
    A_SECOND,
    EVENT,
    RESET_AT,
    announced,
    card_ids,
    charge,
    pg_changed,
    reset,
    reset_states,
    states,
    subscribed,
)
from tests.rig import Rig
from tests.shopkeeper import LONG_AGO, card, contract, subscription

pytestmark = pytest.mark.rule(12)


def test_a_fresh_change_ends_every_subscription_of_the_pg(any_rig: Rig) -> None:
    subscribed(any_rig, 3)
    pg_changed(any_rig)
    done = reset(any_rig)
    assert (done.counts["resets"], done.counts["cancelled"]) == (1, 3)
    assert states(any_rig) == {"S-1": "C", "S-2": "C", "S-3": "C"}
    assert reset_states(any_rig) == ["done"]


def test_the_shop_sees_when_and_why_it_ended(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    (ended,) = sqlite_rig.shop("SELECT terminated_reason, terminated_date FROM subscription")
    (item,) = sqlite_rig.shop("SELECT subscription_state FROM subscription_item")
    (log,) = sqlite_rig.shop("SELECT event FROM subscription_log")
    assert ended["terminated_reason"] == "pg_reset"
    assert ended["terminated_date"] - datetime(2026, 12, 2, 13) < timedelta(minutes=2)
    assert (item["subscription_state"], log["event"]) == ("A", "auto_cancelled")


@pytest.mark.parametrize(
    ("state", "applied_at", "in_use_at", "left"),
    [
        pytest.param("in_use", LONG_AGO, EVENT, "reset", id="in use at the event"),
        pytest.param("in_use", LONG_AGO, EVENT + A_SECOND, "in_use", id="in use a second later"),
        pytest.param("in_use", EVENT, None, "reset", id="applied for at the event"),
        pytest.param("in_use", EVENT + A_SECOND, None, "in_use", id="applied for a second later"),
        pytest.param("applied", LONG_AGO, None, "applied", id="applied for"),
        pytest.param("reviewing", LONG_AGO, LONG_AGO, "reviewing", id="under review"),
        pytest.param("rejected", LONG_AGO, None, "rejected", id="rejected"),
        pytest.param("reset", LONG_AGO, LONG_AGO, "reset", id="reset before"),
    ],
)
def test_the_service_is_reset_only_if_it_was_in_use_before_the_event(
    sqlite_rig: Rig, state: str, applied_at: datetime, in_use_at: datetime | None, left: str
) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.shop(
        "UPDATE subscription_service SET state = :state, applied_at = :applied_at, in_use_at = :in_use_at",
        state=state,
        applied_at=applied_at,
        in_use_at=in_use_at,
    )
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    (service,) = sqlite_rig.shop("SELECT state, reset_at FROM subscription_service")
    assert (service["state"], service["reset_at"] is not None) == (left, (state, left) == ("in_use", "reset"))


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


def test_a_subscription_that_its_newer_card_saved_may_lose_that_card_later(any_rig: Rig) -> None:
    """What the invariants hold against a reset is what it left behind itself."""
    subscribed(any_rig)
    newer = card(any_rig, "member1", registered_at=EVENT + A_SECOND)
    any_rig.shop("UPDATE subscription SET card_id = :card", card=newer)
    pg_changed(any_rig)
    reset(any_rig)
    any_rig.shop("UPDATE subscription SET card_id = NULL")
    any_rig.shop("DELETE FROM card")
    assert any_rig.invariants() == []


def test_a_subscription_that_a_reset_overlooked_breaks_an_invariant(any_rig: Rig) -> None:
    subscribed(any_rig)
    pg_changed(any_rig)
    reset(any_rig)
    any_rig.shop("UPDATE subscription SET subscription_state = 'U'")
    any_rig.broken_on_purpose = {"reset_left_no_subscription"}
