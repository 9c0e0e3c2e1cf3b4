"""Which ends of contracts are a PG reset, and when one begins by itself (rule 12)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.jobs.resetting import (
    A_SECOND,
    BY_HAND,
    DELIVERY,
    EVENT,
    LONG_AFTER,
    OTHER_PG,
    PG,
    announced,
    cancel_mails,
    card_ids,
    charge,
    charges,
    matters,
    pg_changed,
    reset,
    reset_states,
    round_states,
    states,
    subscribed,
    two_pgs,
)
from tests.rig import Rig
from tests.shopkeeper import LONG_AGO, card, contract, subscription, terminate_contract

pytestmark = pytest.mark.rule(12)

AN_HOUR = timedelta(hours=1)


def newcomer(rig: Rig, name: str, since: datetime) -> int:
    """Put in a subscription that was applied for, with its card, at a moment; returns the card."""
    stored = card(rig, name, registered_at=since)
    subscription(
        rig,
        f"S-{name}",
        delivery_on=date(2026, 12, 20),
        member_id=name,
        card_id=stored,
        created_date=since,
    )
    return stored


@pytest.mark.parametrize("termination", ["changed", "reset"])
def test_a_contract_that_was_changed_or_reset_is_an_event(sqlite_rig: Rig, termination: str) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig, termination=termination)
    reset(sqlite_rig)
    (kept,) = sqlite_rig.ours("SELECT event_at, reason, opened_by FROM pg_reset")
    assert states(sqlite_rig) == {"S-1": "C"}
    assert kept == {"event_at": EVENT - timedelta(hours=9), "reason": termination, "opened_by": "reset_pg"}


def test_a_renewed_contract_is_none(rig: Rig) -> None:
    announced(rig)
    pg_changed(rig, termination="renewed")
    contract(rig, in_use_at=EVENT)
    assert reset(rig).counts["resets"] == 0
    assert (states(rig), len(card_ids(rig))) == ({"S-1": "U"}, 1)
    assert charge(rig, at="2026-12-02T17:00").counts["paid"] == 1


def test_a_change_after_renewals_concerns_what_all_of_those_contracts_brought(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig, at=EVENT - 2 * AN_HOUR, termination="renewed")
    contract(sqlite_rig, in_use_at=EVENT - 2 * AN_HOUR)
    newcomer(sqlite_rig, "renewed", EVENT - AN_HOUR)
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["resets"] == 1
    assert (states(sqlite_rig), card_ids(sqlite_rig)) == ({"S-1": "C", "S-renewed": "C"}, [])


def test_what_the_contract_in_use_now_brought_outlives_the_end_of_an_older_one(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    contract(sqlite_rig, in_use_at=EVENT + A_SECOND)
    newer = newcomer(sqlite_rig, "newer", EVENT + A_SECOND)
    reset(sqlite_rig)
    assert (states(sqlite_rig), card_ids(sqlite_rig)) == ({"S-1": "C", "S-newer": "U"}, [newer])
    assert sqlite_rig.shop("SELECT state FROM pg_contract ORDER BY pg_contract_no") == [
        {"state": "terminated"},
        {"state": "in_use"},
    ]


@pytest.mark.parametrize(
    ("zone", "event_at"),
    [
        ("Asia/Seoul", datetime(2026, 12, 2, 3)),
        ("UTC", datetime(2026, 12, 2, 12)),
        ("America/New_York", datetime(2026, 12, 2, 17)),
    ],
)
def test_the_event_is_the_shops_local_time_kept_in_utc(
    sqlite_rig: Rig, zone: str, event_at: datetime
) -> None:
    subscribed(sqlite_rig, card_id=None)
    card(sqlite_rig, "then", registered_at=EVENT)
    later = card(sqlite_rig, "later", registered_at=EVENT + A_SECOND)
    sqlite_rig.config(shop={"timezone": zone})
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert sqlite_rig.ours("SELECT event_at FROM pg_reset") == [{"event_at": event_at}]
    assert card_ids(sqlite_rig) == [later]


def test_an_end_that_is_still_to_come_is_none_yet_but_nothing_is_charged_on_its_cards(rig: Rig) -> None:
    announced(rig)
    pg_changed(rig, at=datetime(2026, 12, 2, 14))
    assert reset(rig, at="2026-12-02T13:59").counts["resets"] == 0
    assert (states(rig), len(card_ids(rig))) == ({"S-1": "U"}, 1)
    charge(rig, at="2026-12-02T13:59", check=1)
    assert (round_states(rig), charges(rig)) == (["due"], [])
    assert reset(rig, at="2026-12-02T14:00").counts["resets"] == 1
    assert round_states(rig) == ["void"]


@pytest.mark.parametrize(
    ("days", "at", "begins"),
    [
        pytest.param(7, "2026-12-09T12:00", True, id="seven days old to the minute"),
        pytest.param(7, "2026-12-09T12:01", False, id="a minute more"),
        pytest.param(7, "2027-06-01T09:00", False, id="half a year"),
        pytest.param(1, "2026-12-03T12:00", True, id="one day allowed"),
        pytest.param(1, "2026-12-03T12:01", False, id="one day allowed and a minute more"),
        pytest.param(0, "2026-12-02T12:00", True, id="none allowed, at once"),
        pytest.param(0, "2026-12-02T12:01", False, id="none allowed, a minute later"),
    ],
)
def test_an_event_older_than_so_many_days_does_not_begin_by_itself(
    sqlite_rig: Rig, days: int, at: str, begins: bool
) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.config(policy={"reset_max_age_days": days})
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig, at=at, check=int(not begins)).counts["resets"] == int(begins)
    assert states(sqlite_rig) == {"S-1": "C" if begins else "U"}
    assert matters(sqlite_rig) == ([] if begins else [("reset_waits", PG)])


def test_an_old_event_waits_for_a_person_and_says_so_once(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    told = reset(sqlite_rig, at=LONG_AFTER, check=1)
    assert "2026-12-02 12:00" in told.stderr
    assert "reset-pg --pg tosspayments --confirm" in told.stderr
    assert matters(sqlite_rig) == [("reset_waits", PG)]
    assert reset(sqlite_rig, at=LONG_AFTER).counts["resets"] == 0
    assert states(sqlite_rig) == {"S-1": "U"}


def test_an_old_event_of_one_pg_does_not_keep_that_of_another_waiting(sqlite_rig: Rig) -> None:
    two_pgs(sqlite_rig)
    terminate_contract(sqlite_rig, at=EVENT - timedelta(days=30), pg_code=OTHER_PG)
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    assert states(sqlite_rig) == {"S-1": "C", "S-other": "U"}
    assert matters(sqlite_rig) == [("reset_waits", OTHER_PG)]


def test_two_pgs_that_end_at_once_are_both_reset_in_one_run(sqlite_rig: Rig) -> None:
    two_pgs(sqlite_rig)
    terminate_contract(sqlite_rig, at=EVENT, pg_code=OTHER_PG)
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig, check=1).counts["resets"] == 2
    assert (states(sqlite_rig), card_ids(sqlite_rig)) == ({"S-1": "C", "S-other": "C"}, [])
    assert reset_states(sqlite_rig) == ["done", "done"]


def test_two_events_of_one_pg_are_carried_out_one_after_the_other(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig, at=EVENT - AN_HOUR)
    contract(sqlite_rig)
    newcomer(sqlite_rig, "between", EVENT - AN_HOUR / 2)
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert states(sqlite_rig) == {"S-1": "C", "S-between": "U"}
    reset(sqlite_rig)
    assert states(sqlite_rig) == {"S-1": "C", "S-between": "C"}
    assert (reset_states(sqlite_rig), len(cancel_mails(sqlite_rig))) == (["done", "done"], 4)
    assert [
        row["event_at"] for row in sqlite_rig.ours("SELECT event_at FROM pg_reset ORDER BY reset_id")
    ] == [
        EVENT - timedelta(hours=10),
        EVENT - timedelta(hours=9),
    ]


def test_a_fresh_event_begins_although_an_older_one_of_its_pg_still_waits(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig, at=EVENT - timedelta(days=30))
    contract(sqlite_rig, in_use_at=EVENT - timedelta(days=29))
    newcomer(sqlite_rig, "between", EVENT - timedelta(days=10))
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig, check=1).counts["resets"] == 1
    assert (states(sqlite_rig), card_ids(sqlite_rig)) == ({"S-1": "C", "S-between": "C"}, [])


def test_the_end_of_a_contract_with_nothing_in_it_is_done_at_once(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, pg_code=OTHER_PG, card_id=None)
    pg_changed(sqlite_rig)
    done = reset(sqlite_rig)
    assert (done.counts["resets"], done.counts["cancelled"], reset_states(sqlite_rig)) == (1, 0, ["done"])


def test_an_event_that_is_taken_up_late_concerns_no_more_than_it_did_at_first(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, created_date=LONG_AGO)
    pg_changed(sqlite_rig)
    contract(sqlite_rig, in_use_at=EVENT + AN_HOUR)
    moved = card(sqlite_rig, "member1", registered_at=EVENT + AN_HOUR)
    sqlite_rig.shop("UPDATE subscription SET card_id = :card_id", card_id=moved)
    newcomer(sqlite_rig, "newer", EVENT + AN_HOUR)
    reset(sqlite_rig, *BY_HAND, at="2027-06-01T09:00")
    assert states(sqlite_rig) == {"S-1": "U", "S-newer": "U"}
    assert len(card_ids(sqlite_rig)) == 2
    assert sqlite_rig.shop(
        "SELECT expected_delivery_date FROM subscription_item WHERE subscription_id = 'S-1'"
    ) == [{"expected_delivery_date": DELIVERY}]
