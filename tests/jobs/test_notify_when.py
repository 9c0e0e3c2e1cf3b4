"""Rule 1: on which day a round is announced, and on which days it may be charged."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.jobs.notices import D_MINUS_2, D, notify, open_matters, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(1, 2)

AWAKE = {"quiet_hours": ""}


@pytest.mark.parametrize(
    ("as_of", "delivery", "charge_on"),
    [
        ("2026-12-01T00:00", 3, 2),
        ("2026-12-01T08:59", 3, 2),
        ("2026-12-01T09:00", 3, 2),
        ("2026-12-01T23:59", 3, 2),
        ("2026-12-02T00:00", 3, 3),
        ("2026-12-02T23:59", 3, 3),
        ("2026-12-03T00:00", 5, 4),
    ],
)
def test_a_round_is_charged_on_d_1_but_never_on_the_day_of_its_notice(
    sqlite_rig: Rig, as_of: str, delivery: int, charge_on: int
) -> None:
    sqlite_rig.config(policy=AWAKE)
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig, as_of)
    found = the_round(sqlite_rig)
    days = {key: found[key].day for key in ("delivery_on", "announced_on", "charge_on", "charge_until")}
    assert days == {
        "delivery_on": delivery,
        "announced_on": int(as_of[8:10]),
        "charge_on": charge_on,
        "charge_until": charge_on + 2,
    }


def test_nothing_is_announced_before_d_2_has_begun_in_the_shops_zone(any_rig: Rig) -> None:
    any_rig.config(policy=AWAKE)
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    assert notify(any_rig, "2026-11-30T23:59").counts["due"] == 0
    assert rounds(any_rig) == []


@pytest.mark.parametrize(("as_of", "late"), [("2026-12-01T09:00", 0), ("2026-12-02T09:00", 1)])
def test_a_round_whose_d_2_has_passed_counts_as_late(sqlite_rig: Rig, as_of: str, late: int) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    assert notify(sqlite_rig, as_of).counts["late"] == late


def test_an_application_for_tomorrow_is_announced_today_and_charged_tomorrow(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, created_date="2026-12-02 11:00:00")
    notify(sqlite_rig, "2026-12-02T12:00")
    found = the_round(sqlite_rig)
    assert (found["announced_on"], found["charge_on"]) == (date(2026, 12, 2), D)


def test_a_notice_that_waited_a_day_for_its_credit_moves_the_day_of_the_charge(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    set_credits(sqlite_rig, bulk_mail=0, sms=0)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig, check=1)
    set_credits(sqlite_rig)
    notify(sqlite_rig, "2026-12-02T09:00")
    found = the_round(sqlite_rig)
    assert (found["announced_on"], found["charge_on"]) == (date(2026, 12, 2), D)


def test_a_round_that_nobody_was_told_of_is_missed_on_its_day_and_delivered_late(any_rig: Rig) -> None:
    open_shop(any_rig)
    set_credits(any_rig, bulk_mail=0, sms=0)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, check=1)
    set_credits(any_rig)
    counts = notify(any_rig, "2026-12-03T09:00", check=1).counts
    assert (counts["missed"], counts["sealed"], counts["late"]) == (1, 1, 1)
    assert [(one["delivery_on"], one["state"]) for one in rounds(any_rig)] == [
        (D, "missed"),
        (D + timedelta(days=2), "due"),
    ]
    assert [kind for kind, _ in open_matters(any_rig)] == ["missed"]


def test_after_an_outage_there_is_one_round_however_many_were_missed(any_rig: Rig) -> None:
    open_shop(any_rig)
    start = D - timedelta(weeks=1)
    subscription(any_rig, delivery_on=start, items=(Item(cycle="1W"),))
    notify(any_rig, "2026-12-09T09:00")
    assert the_round(any_rig)["delivery_on"] == date(2026, 12, 11)
    stored = any_rig.shop("SELECT expected_delivery_date, expected_pay_date FROM subscription_item")
    assert stored == [{"expected_delivery_date": date(2026, 12, 11), "expected_pay_date": date(2026, 12, 10)}]


def test_an_item_too_late_waits_for_its_cycle(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=date(2026, 11, 3), items=(Item(cycle="1M"),))
    notify(sqlite_rig, D_MINUS_2)
    assert the_round(sqlite_rig)["delivery_on"] == D
