"""What the shop's pages change between the rounds, and between notice and charge (rules 1, 2 and 8)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.billing.brute_force import DAY
from tests.jobs.when import (
    charge,
    days_of_charge,
    deliveries,
    morning,
    move,
    notify,
    ordered,
    set_item_state,
    stored,
)
from tests.rig import Rig
from tests.shopkeeper import Item, Subscribed, open_shop, subscription

pytestmark = pytest.mark.rule(1, 2, 8)

D = date(2026, 12, 3)
D_2, D_1 = D - 2 * DAY, D - DAY


def weekly(rig: Rig, *products: int) -> Subscribed:
    """Put in a weekly subscription of some products."""
    open_shop(rig)
    items = tuple(Item(cycle="1W", product_no=number) for number in products or (1,))
    return subscription(rig, "S-1", delivery_on=D, items=items)


def add_item(rig: Rig, delivery_on: date) -> None:
    """Do what the shop's page does when the customer adds a product to a subscription."""
    rig.put(
        "subscription_item",
        subscription_id="S-1",
        product_no=1,
        product_name="에티오피아 예가체프 200g",
        quantity=1,
        product_price=12_900,
        subscription_shipments_cycle="1W",
        start_date=delivery_on,
        expected_delivery_date=delivery_on,
    )


@pytest.mark.parametrize(
    ("moved_to", "sealed_on"),
    [(D + 4 * DAY, D + 2 * DAY), (D - DAY, D - 3 * DAY), (D - 4 * DAY, D - 6 * DAY)],
    ids=["later", "a day earlier", "days earlier"],
)
def test_a_date_moved_before_the_notice_is_the_date_of_the_round(
    sqlite_rig: Rig, moved_to: date, sealed_on: date
) -> None:
    given = weekly(sqlite_rig)
    notify(sqlite_rig, D - 7 * DAY)
    move(sqlite_rig, given.item_id, moved_to)
    notify(sqlite_rig, sealed_on - DAY)
    assert deliveries(sqlite_rig) == []
    notify(sqlite_rig, sealed_on)
    assert (deliveries(sqlite_rig), stored(sqlite_rig)) == ([(moved_to, "due")], [moved_to])


def test_a_date_moved_to_tomorrow_is_announced_today(sqlite_rig: Rig) -> None:
    given = weekly(sqlite_rig)
    move(sqlite_rig, given.item_id, D - 4 * DAY)
    notify(sqlite_rig, D - 5 * DAY)
    assert days_of_charge(sqlite_rig) == [(D - 5 * DAY, D - 4 * DAY, D - 2 * DAY)]


def test_a_round_off_the_cycle_by_the_customers_wish_leads_back_to_it(rig: Rig) -> None:
    given = weekly(rig)
    move(rig, given.item_id, D + 3 * DAY)
    morning(rig, D + DAY, D + 2 * DAY)
    assert (deliveries(rig), stored(rig)) == ([(D + 3 * DAY, "paid")], [D + 7 * DAY])


def test_of_two_items_the_one_that_was_moved_has_a_round_of_its_own(rig: Rig) -> None:
    given = weekly(rig, 1, 2)
    move(rig, given.item_ids[1], D + DAY)
    morning(rig, D_2, D_1, D)
    assert deliveries(rig) == [(D, "paid"), (D + DAY, "paid")]
    assert stored(rig) == [D + 7 * DAY, D + 7 * DAY]
    morning(rig, D + 5 * DAY, D + 6 * DAY)
    assert deliveries(rig)[2:] == [(D + 7 * DAY, "paid")]


@pytest.mark.parametrize("moved_to", [D + DAY, D + 20 * DAY])
def test_a_date_moved_after_the_notice_leaves_the_announced_round_as_it_is(rig: Rig, moved_to: date) -> None:
    given = weekly(rig)
    notify(rig, D_2)
    fixed = days_of_charge(rig)
    move(rig, given.item_id, moved_to)
    morning(rig, D_1)
    assert (deliveries(rig), days_of_charge(rig), ordered(rig)) == ([(D, "paid")], fixed, [D])


def test_a_date_moved_while_the_sealed_round_waits_for_its_notice_counts_from_the_next(rig: Rig) -> None:
    given = weekly(rig)
    notify(rig, D_2, "07:00")
    move(rig, given.item_id, D + 10 * DAY)
    notify(rig, D_2, "09:00")
    charge(rig, D_1)
    assert (deliveries(rig), stored(rig)) == ([(D, "paid")], [D + 10 * DAY])


def test_paused_after_the_notice_and_resumed_before_the_charge_the_round_goes_on(rig: Rig) -> None:
    given = weekly(rig)
    notify(rig, D_2)
    set_item_state(rig, "B", given.item_id)
    set_item_state(rig, "U", given.item_id)
    charge(rig, D_1)
    assert deliveries(rig) == [(D, "paid")]


@pytest.mark.parametrize("paused", ["B", "Q"])
def test_resumed_after_its_round_was_voided_an_item_is_delivered_a_day_later(rig: Rig, paused: str) -> None:
    given = weekly(rig)
    notify(rig, D_2)
    set_item_state(rig, paused, given.item_id)
    charge(rig, D_1)
    set_item_state(rig, "U", given.item_id)
    notify(rig, D_1, "11:00")
    assert deliveries(rig) == [(D, "void"), (D + DAY, "due")]
    charge(rig, D)
    assert (deliveries(rig), stored(rig)) == ([(D, "void"), (D + DAY, "paid")], [D + 7 * DAY])


@pytest.mark.parametrize(
    ("resumed", "expected"),
    [
        pytest.param(D + 5 * DAY, D + 7 * DAY, id="a few days later: delivered late"),
        pytest.param(D + 14 * DAY, D + 16 * DAY, id="fourteen days later: delivered late"),
        pytest.param(D + 15 * DAY, None, id="fifteen days later: waits for its cycle"),
    ],
)
def test_an_item_resumed_with_the_date_it_had_is_late_like_any_other(
    sqlite_rig: Rig, resumed: date, expected: date | None
) -> None:
    given = weekly(sqlite_rig)
    set_item_state(sqlite_rig, "B", given.item_id)
    for day in (D_2, D, resumed):
        notify(sqlite_rig, day)
    assert deliveries(sqlite_rig) == []
    set_item_state(sqlite_rig, "U", given.item_id)
    notify(sqlite_rig, resumed, "09:30")
    assert deliveries(sqlite_rig) == ([(expected, "due")] if expected else [])


def test_of_an_announced_round_a_paused_item_is_delivered_once_more_and_then_no_longer(rig: Rig) -> None:
    given = weekly(rig, 1, 2)
    notify(rig, D_2)
    set_item_state(rig, "B", given.item_ids[1])
    morning(rig, D_1, D + 5 * DAY, D + 6 * DAY)
    assert deliveries(rig) == [(D, "paid"), (D + 7 * DAY, "paid")]
    assert stored(rig) == [D + 14 * DAY, D + 7 * DAY]
    lines = rig.shop("SELECT subscription_item_id AS i FROM order_item ORDER BY order_id, line_no")
    assert sorted(row["i"] for row in lines) == sorted([*given.item_ids, given.item_ids[0]])


def test_an_item_added_after_the_notice_comes_a_day_later_in_a_round_of_its_own(rig: Rig) -> None:
    weekly(rig)
    notify(rig, D_2)
    add_item(rig, D)
    morning(rig, D_1, D)
    assert deliveries(rig) == [(D, "paid"), (D + DAY, "paid")]
    assert stored(rig) == [D + 7 * DAY, D + 7 * DAY]
    morning(rig, D + 5 * DAY, D + 6 * DAY)
    assert deliveries(rig)[2:] == [(D + 7 * DAY, "paid")]


def test_an_item_added_before_the_notice_is_in_the_round(rig: Rig) -> None:
    weekly(rig)
    add_item(rig, D)
    morning(rig, D_2, D_1)
    assert deliveries(rig) == [(D, "paid")]
    assert [each.amount for each in rig.sandbox.toss.approvals()] == [25_800]


def test_an_item_moved_onto_the_date_of_an_announced_round_comes_the_day_after(rig: Rig) -> None:
    given = weekly(rig, 1, 2)
    move(rig, given.item_ids[1], D + 20 * DAY)
    notify(rig, D_2)
    move(rig, given.item_ids[1], D)
    morning(rig, D_1, D)
    assert ordered(rig) == [D, D + DAY]


def test_an_item_cancelled_after_the_notice_has_no_further_round(rig: Rig) -> None:
    given = weekly(rig, 1, 2)
    notify(rig, D_2)
    set_item_state(rig, "M", given.item_ids[1])
    morning(rig, D_1, D + 5 * DAY, D + 6 * DAY)
    assert [each.amount for each in rig.sandbox.toss.approvals()] == [25_800, 12_900]
    assert stored(rig) == [D + 14 * DAY, D]
