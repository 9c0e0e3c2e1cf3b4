"""Which ends of contracts are a reset, and what an operator may order by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests import shopkeeper
from tests.jobs.resetting import (
    DELIVERY,
    EVENT,
    PG,
    RESET_AT,
    SHOP_NAME,
    cancel_mails,
    card_ids,
    matters,
    pg_changed,
    reset,
    reset_states,
    states,
    subscribed,
)
from tests.rig import Rig
from tests.shopkeeper import card, subscription

BY_HAND = ("--pg", PG, "--confirm", SHOP_NAME)
LONG_AFTER = "2026-12-20T09:00"


@pytest.mark.parametrize("termination", ["changed", "reset"])
def test_a_contract_that_was_changed_or_reset_is_an_event(rig: Rig, termination: str) -> None:
    subscribed(rig)
    pg_changed(rig, termination=termination)
    reset(rig)
    assert states(rig) == {"S-1": "C"}


def test_a_renewed_contract_is_none(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig, termination="renewed")
    assert reset(rig).counts["resets"] == 0
    assert (states(rig), len(card_ids(rig))) == ({"S-1": "U"}, 1)


def test_an_end_that_is_still_to_come_is_none_yet(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig, at=datetime(2026, 12, 2, 14))
    assert reset(rig, at="2026-12-02T13:59").counts["resets"] == 0
    assert reset(rig, at="2026-12-02T14:00").counts["resets"] == 1


def test_the_event_is_kept_in_utc(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    (row,) = rig.ours("SELECT event_at, reason, opened_by FROM pg_reset")
    assert (row["event_at"], row["reason"], row["opened_by"]) == (
        EVENT - timedelta(hours=9),
        "changed",
        "reset_pg",
    )


def test_an_old_event_waits_for_a_person_and_says_so_once(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    told = reset(rig, at=LONG_AFTER, check=1)
    assert "reset-pg --pg tosspayments --confirm" in told.stderr
    assert matters(rig) == [("reset_waits", PG)]
    assert reset(rig, at=LONG_AFTER).counts["resets"] == 0
    assert states(rig) == {"S-1": "U"}


def test_an_event_is_old_after_seven_days(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    assert reset(rig, at="2026-12-09T12:01", check=1).counts["resets"] == 0
    assert reset(rig, at="2026-12-09T11:59").counts["resets"] == 1


def test_an_order_takes_up_the_waiting_event_and_opens_no_other(rig: Rig) -> None:
    subscribed(rig)
    newer = card(rig, "newer", registered_at=EVENT + timedelta(days=1))
    subscription(rig, "S-newer", delivery_on=DELIVERY, member_id="newer", card_id=newer)
    pg_changed(rig)
    reset(rig, at=LONG_AFTER, check=1)
    done = reset(rig, *BY_HAND, "--reason", "카페24 안내", at=LONG_AFTER)
    (row,) = rig.ours("SELECT pg_contract_no, reason, state FROM pg_reset")
    assert (done.counts["resets"], row["reason"], row["state"]) == (1, "카페24 안내", "done")
    assert (states(rig), card_ids(rig), matters(rig)) == ({"S-1": "C", "S-newer": "U"}, [newer], [])


def test_an_order_without_any_event_is_the_event(rig: Rig) -> None:
    subscribed(rig)
    assert reset(rig, *BY_HAND).counts["cancelled"] == 1
    (row,) = rig.ours("SELECT event_at, opened_by FROM pg_reset")
    assert abs(row["event_at"] - datetime(2026, 12, 2, 4)) < timedelta(minutes=2)
    assert row["opened_by"] != "reset_pg"


def test_an_order_goes_on_with_an_unfinished_reset_and_opens_no_other(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    rig.ours("UPDATE pg_reset SET state = 'cancelled', finished_at = NULL")
    reset(rig, *BY_HAND)
    assert reset_states(rig) == ["done"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pg", PG, "--confirm", "햇빛커피"), "쇼핑몰 이름이 다릅니다"),
        (("--pg", "inicis", "--confirm", SHOP_NAME), "이 PG의 계약, 서비스, 카드가 쇼핑몰에 없습니다"),
        (("--pg", PG), "--pg 와 --confirm 은 함께"),
        (("--confirm", SHOP_NAME), "--pg 와 --confirm 은 함께"),
        (("--subscription", "S-1"), "--subscription 과 --limit 은 쓸 수 없습니다"),
        (("--limit", "1"), "--subscription 과 --limit 은 쓸 수 없습니다"),
    ],
)
def test_a_wrong_order_changes_nothing_and_leaves_no_run_record(
    sqlite_rig: Rig, options: tuple[str, ...], said: str
) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.config()
    before = sqlite_rig.checksums(exclude=())
    told = reset(sqlite_rig, *options, check=2)
    assert said in told.stderr
    assert told.summary == {"exit_code": 2, "error": "UsageError"}
    assert sqlite_rig.checksums(exclude=()) == before


def test_a_dry_run_of_an_order_tells_what_it_would_end(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, 2)
    told = sqlite_rig.run("reset_pg", "--as-of", RESET_AT, "--dry-run", *BY_HAND)
    assert told.exit_code == 0
    assert reset_states(sqlite_rig) == []


def test_two_events_of_one_pg_are_carried_out_one_after_the_other(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig, at=EVENT - timedelta(hours=1))
    shopkeeper.contract(rig)
    between = card(rig, "between", registered_at=EVENT - timedelta(minutes=30))
    subscription(
        rig,
        "S-between",
        delivery_on=date(2026, 12, 20),
        member_id="between",
        card_id=between,
        created_date=EVENT - timedelta(minutes=30),
    )
    pg_changed(rig)
    reset(rig)
    assert states(rig) == {"S-1": "C", "S-between": "U"}
    reset(rig)
    assert states(rig) == {"S-1": "C", "S-between": "C"}
    assert (reset_states(rig), len(cancel_mails(rig))) == (["done", "done"], 4)
