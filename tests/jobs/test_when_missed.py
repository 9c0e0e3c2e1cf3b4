"""What becomes of a round that was missed, and of a day that has a round already (rule 2)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.billing.brute_force import DAY
from tests.jobs.notices import logged, open_matters
from tests.jobs.when import charge, days_of_charge, deliveries, move, notify, ordered, set_item_state, stored
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(2)

D = date(2026, 12, 3)
WEEKLY = (Item(cycle="1W"),)


def open_without_credit(rig: Rig) -> None:
    """Put in a weekly subscription that nobody can be told of."""
    open_shop(rig)
    set_credits(rig, bulk_mail=0, sms=0)
    subscription(rig, "S-1", delivery_on=D, items=WEEKLY)


@pytest.mark.parametrize(
    ("on_missed", "past", "expected"),
    [
        ("deliver_late", 0, date(2026, 12, 5)),
        ("deliver_late", 3, date(2026, 12, 8)),
        ("deliver_late", 4, None),
        ("skip", 0, None),
        ("skip", 5, date(2026, 12, 10)),
    ],
)
def test_only_a_date_past_by_more_than_the_shop_allows_waits_for_its_cycle(
    sqlite_rig: Rig, on_missed: str, past: int, expected: date | None
) -> None:
    sqlite_rig.config(policy={"on_missed": on_missed, "max_late_days": 3})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY)
    notify(sqlite_rig, D + past * DAY)
    assert deliveries(sqlite_rig) == ([(expected, "due")] if expected else [])
    assert stored(sqlite_rig) == [expected or D + 7 * DAY]


@pytest.mark.parametrize(
    ("cycle", "down_on", "expected"),
    [("1W", D + 5 * DAY, D + 7 * DAY), ("1Y", date(2027, 12, 1), date(2027, 12, 3))],
)
def test_a_cycle_date_that_an_item_waits_for_survives_an_outage_on_the_day_of_its_notice(
    sqlite_rig: Rig, cycle: str, down_on: date, expected: date
) -> None:
    sqlite_rig.config(policy={"on_missed": "skip"})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=(Item(cycle=cycle),))
    notify(sqlite_rig, D)
    assert [f"다음 주기 {expected}로 변경" in said for said in logged(sqlite_rig)] == [True]
    assert notify(sqlite_rig, down_on + DAY).counts["late"] == 1
    assert deliveries(sqlite_rig) == [(expected, "due")]


def test_an_item_that_is_blocked_is_not_moved_to_its_cycle_date(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"on_missed": "skip"})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY, card_id=None)
    notify(sqlite_rig, D)
    assert stored(sqlite_rig) == [D]


def test_an_item_that_waits_for_its_cycle_is_announced_two_days_before_it(
    sqlite_rig: Rig,
) -> None:
    sqlite_rig.config(policy={"on_missed": "skip"})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY)
    sealed = [notify(sqlite_rig, D + day * DAY).counts["sealed"] for day in range(8)]
    assert sealed == [0, 0, 0, 0, 0, 1, 0, 0]
    assert deliveries(sqlite_rig) == [(D + 7 * DAY, "due")]


def test_a_changed_date_is_written_back_and_logged_with_the_one_it_had(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY)
    notify(sqlite_rig, D + DAY)
    assert sqlite_rig.shop(
        "SELECT expected_delivery_date AS d, expected_pay_date AS p FROM subscription_item"
    ) == [{"d": D + 3 * DAY, "p": D + 2 * DAY}]
    assert logged(sqlite_rig) == ["2026-12-06 1회차 12,900원 (예정일 2026-12-03에서 변경)"]


def test_a_late_notice_of_a_date_that_stands_logs_no_change(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY)
    assert notify(sqlite_rig, D - DAY).counts["late"] == 1
    assert logged(sqlite_rig) == ["2026-12-03 1회차 12,900원"]


def test_after_two_missed_rounds_in_a_row_the_item_waits_for_its_cycle(rig: Rig) -> None:
    open_without_credit(rig)
    notify(rig, D - 2 * DAY, check=1)
    notify(rig, D, check=1)
    notify(rig, D + 2 * DAY, check=1)
    assert deliveries(rig) == [(D, "missed"), (D + 2 * DAY, "missed")]
    set_credits(rig)
    assert [notify(rig, D + day * DAY).counts["sealed"] for day in (3, 4, 5)] == [0, 0, 1]
    charge(rig, D + 6 * DAY)
    assert deliveries(rig)[2:] == [(D + 7 * DAY, "paid")]
    assert stored(rig) == [D + 14 * DAY]


def test_a_third_missed_round_waits_for_the_cycle_too(sqlite_rig: Rig) -> None:
    open_without_credit(sqlite_rig)
    for day in (-2, 0, 2, 5, 7, 8, 9, 12):
        notify(sqlite_rig, D + day * DAY, check=None)
    assert deliveries(sqlite_rig) == [
        (D, "missed"),
        (D + 2 * DAY, "missed"),
        (D + 7 * DAY, "missed"),
        (D + 14 * DAY, "sealed"),
    ]


def test_a_paid_round_in_between_begins_the_count_anew(rig: Rig) -> None:
    open_without_credit(rig)
    notify(rig, D - 2 * DAY, check=1)
    set_credits(rig)
    notify(rig, D, check=1)
    charge(rig, D + DAY)
    set_credits(rig, bulk_mail=0, sms=0)
    notify(rig, D + 5 * DAY, check=1)
    notify(rig, D + 7 * DAY, check=1)
    assert deliveries(rig) == [
        (D, "missed"),
        (D + 2 * DAY, "paid"),
        (D + 7 * DAY, "missed"),
        (D + 9 * DAY, "sealed"),
    ]


def test_a_date_the_customer_sets_after_two_missed_rounds_counts(sqlite_rig: Rig) -> None:
    open_without_credit(sqlite_rig)
    for day in (-2, 0, 2):
        notify(sqlite_rig, D + day * DAY, check=1)
    set_credits(sqlite_rig)
    (item_id,) = [
        row["i"] for row in sqlite_rig.shop("SELECT subscription_item_id AS i FROM subscription_item")
    ]
    move(sqlite_rig, item_id, D + 4 * DAY)
    notify(sqlite_rig, D + 3 * DAY)
    assert deliveries(sqlite_rig)[2:] == [(D + 4 * DAY, "due")]


def test_what_was_missed_is_told_once_and_charged_never(rig: Rig) -> None:
    open_without_credit(rig)
    notify(rig, D - 2 * DAY, check=1)
    set_credits(rig)
    notify(rig, D, check=1)
    for day in range(1, 5):
        charge(rig, D + day * DAY)
    assert ordered(rig) == [D + 2 * DAY]
    assert [kind for kind, _ in open_matters(rig)] == ["missed"]


STATES = ("sealed", "due", "charging", "in_doubt", "held", "paid", "failed", "void", "missed", "skipped")


@pytest.mark.parametrize("state", STATES)
def test_a_day_with_a_round_in_any_state_gives_way_to_the_next(sqlite_rig: Rig, state: str) -> None:
    open_shop(sqlite_rig)
    given = subscription(
        sqlite_rig, "S-1", delivery_on=D, items=(Item(cycle="1W"), Item(cycle="1W", product_no=2, state="B"))
    )
    notify(sqlite_rig, D - 2 * DAY)
    sqlite_rig.ours(
        "UPDATE billing_round SET state = :state, paid_at = sealed_at, items_amount = 0, amount_krw = 0",
        state=state,
    )
    sqlite_rig.broken_on_purpose = {"charging_is_open"} if state == "charging" else set()
    set_item_state(sqlite_rig, "U", given.item_ids[1])
    notify(sqlite_rig, D - DAY)
    assert deliveries(sqlite_rig) == [(D, state), (D + DAY, "due")]
    assert stored(sqlite_rig) == [D, D + DAY]


def test_a_late_item_gives_way_to_the_first_day_without_a_round(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    given = subscription(
        sqlite_rig,
        "S-1",
        delivery_on=D,
        items=(
            Item(cycle="1W"),
            Item(cycle="2W", product_no=2, delivery_on=D + DAY),
            Item(cycle="1W", product_no=3, state="B"),
        ),
    )
    notify(sqlite_rig, D - DAY)
    move(sqlite_rig, given.item_ids[2], D - 3 * DAY)
    set_item_state(sqlite_rig, "U", given.item_ids[2])
    assert notify(sqlite_rig, D - DAY, "11:00").counts["due"] == 0
    notify(sqlite_rig, D)
    assert deliveries(sqlite_rig) == [(D, "due"), (D + DAY, "due"), (D + 2 * DAY, "due")]


def test_items_of_different_dates_that_are_all_late_come_in_one_round(rig: Rig) -> None:
    open_shop(rig)
    items = (Item(cycle="1W"), Item(cycle="1M", product_no=2, delivery_on=D - 5 * DAY))
    subscription(rig, "S-1", delivery_on=D, items=items)
    notify(rig, D + DAY)
    charge(rig, D + 2 * DAY)
    assert deliveries(rig) == [(D + 3 * DAY, "paid")]
    assert stored(rig) == [D + 7 * DAY, date(2026, 12, 28)]


@pytest.mark.parametrize(
    ("before", "expected"),
    [(0, [(D, "due")]), (1, [])],
    ids=["the first delivery itself is ours", "the day before is not"],
)
def test_the_first_delivery_is_the_first_day_that_is_ours(
    sqlite_rig: Rig, before: int, expected: list[tuple[date, str]]
) -> None:
    sqlite_rig.config(shop={"first_delivery": D})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D - before * DAY)
    notify(sqlite_rig, D - 2 * DAY, check=before)
    assert deliveries(sqlite_rig) == expected


def test_a_date_before_the_first_delivery_does_not_become_ours_by_being_late(sqlite_rig: Rig) -> None:
    sqlite_rig.config(shop={"first_delivery": D})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D - DAY)
    for day in (-1, 0, 7, 30):
        notify(sqlite_rig, D + day * DAY, check=None)
    assert (deliveries(sqlite_rig), stored(sqlite_rig)) == ([], [D - DAY])


def test_a_late_round_of_nothing_to_charge_moves_on_from_its_late_date(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, sold_out="T")
    subscription(sqlite_rig, "S-1", delivery_on=D, items=WEEKLY)
    notify(sqlite_rig, D + 2 * DAY)
    assert (deliveries(sqlite_rig), stored(sqlite_rig)) == ([(D + 4 * DAY, "skipped")], [D + 14 * DAY])
    assert days_of_charge(sqlite_rig) == [(None, None, None)]
