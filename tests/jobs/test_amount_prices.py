"""Rule 5 from the shop's rows to the sealed prices: which price is agreed, and which is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import pytest

from tests.jobs.amounts import quiet_shop, sealed
from tests.jobs.blocking import ORDER
from tests.jobs.charging import charge
from tests.jobs.notices import D, notify, rounds
from tests.rig import Rig
from tests.shopkeeper import Item, consent, product, subscription

pytestmark = pytest.mark.rule(5)

COFFEE = Item(1, 12_900, name="예가체프")
Event = tuple[Literal["consent", "order", "line"], int, str]
"""A consent to a price, an order at it, or one more line of that order; when."""


def happen(rig: Rig, name: str, item_id: int | None, events: Sequence[Event]) -> None:
    """Put in what a customer agreed to and ordered."""
    for number, (kind, price, moment) in enumerate(events):
        at = datetime.fromisoformat(f"2026-{moment}")
        if kind == "consent" and item_id:
            consent(rig, item_id, price, at)
        if kind == "order":
            rig.put("orders", **ORDER | {"order_id": name, "paid_at": at})
        if kind != "consent":
            rig.put(
                "order_item",
                order_id=name,
                line_no=number + 1,
                subscription_item_id=item_id,
                product_no=1,
                product_name="예가체프",
                quantity=1,
                unit_price=price,
                amount=price,
            )


STORIES: dict[str, tuple[Sequence[Event], int]] = {
    "applied for": ((), 12_900),
    "consent": ((("consent", 14_500, "11-20T09:00"),), 14_500),
    "consent to less": ((("consent", 14_000, "11-20T09:00"),), 14_000),
    "consent to more": ((("consent", 15_000, "11-20T09:00"),), 14_500),
    "consent below applied": ((("consent", 12_000, "11-20T09:00"),), 12_000),
    "consent before applied": ((("consent", 14_500, "10-24T08:59"),), 12_900),
    "30 days old at the end": ((("consent", 14_500, "11-05T00:00"),), 14_500),
    "31 days old at the end": ((("consent", 14_500, "11-04T23:59"),), 12_900),
    "consent of tomorrow": ((("consent", 14_500, "12-02T09:00"),), 12_900),
    "consent of just after": ((("consent", 14_500, "12-01T09:30"),), 12_900),
    "two consents": ((("consent", 14_500, "11-19T09:00"), ("consent", 13_500, "11-20T09:00")), 13_500),
    "one of two to come": ((("consent", 13_500, "11-19T09:00"), ("consent", 14_500, "12-02T09:00")), 13_500),
    "one of two too old": ((("consent", 13_500, "11-04T09:00"), ("consent", 14_000, "11-05T09:00")), 14_000),
    "order": ((("order", 13_900, "11-03T09:00"),), 13_900),
    "order before applied": ((("order", 11_000, "10-24T08:59"),), 12_900),
    "order when applied": ((("order", 11_000, "10-24T09:00"),), 11_000),
    "dearer when applied": ((("order", 13_900, "10-24T09:00"),), 12_900),
    "order with two lines": ((("order", 13_000, "11-03T09:00"), ("line", 13_900, "11-03T09:00")), 13_000),
    "consent, then order": ((("consent", 14_500, "11-20T09:00"), ("order", 13_000, "11-21T09:00")), 13_000),
    "order, then consent": ((("order", 13_000, "11-20T09:00"), ("consent", 14_500, "11-21T09:00")), 14_500),
    "old consent, order": ((("consent", 14_500, "11-01T09:00"), ("order", 13_000, "10-25T09:00")), 13_000),
}


def test_the_newest_of_applied_for_consented_and_ordered_is_agreed(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    product(any_rig, 1, 14_500)
    for name, (events, _) in STORIES.items():
        item_id = subscription(any_rig, name, delivery_on=D, items=(COFFEE,)).item_id
        happen(any_rig, name, item_id, events)
    notify(any_rig)
    assert sealed(any_rig, "amount_krw") == {name: price for name, (_, price) in STORIES.items()}


def test_of_several_orders_the_newest_counts_and_of_one_second_the_cheapest(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    product(any_rig, 1, 14_500)
    dates = {"newest": ("11-03T09:00", "11-13T09:00"), "one second": ("11-03T09:00", "11-03T09:00")}
    for name, (first, second) in dates.items():
        item_id = subscription(any_rig, name, delivery_on=D, items=(COFFEE,)).item_id
        happen(any_rig, f"{name} A", item_id, [("order", 13_000, first)])
        happen(any_rig, f"{name} B", item_id, [("order", 13_900, second)])
    notify(any_rig)
    assert sealed(any_rig, "amount_krw") == {"newest": 13_900, "one second": 13_000}


def test_orders_of_other_items_and_single_purchases_agree_to_nothing(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    product(any_rig, 1, 14_500)
    other = subscription(any_rig, "other", delivery_on=D, items=(COFFEE,))
    subscription(any_rig, "ours", delivery_on=D, items=(COFFEE,))
    happen(any_rig, "OTHER", other.item_id, [("order", 14_500, "11-20T09:00")])
    happen(any_rig, "ONCE", None, [("order", 14_500, "11-21T09:00")])
    notify(any_rig)
    assert sealed(any_rig, "amount_krw") == {"other": 14_500, "ours": 12_900}


@pytest.mark.parametrize(
    ("retry_days", "oldest"), [(1, "11-03"), (2, "11-04"), (3, "11-05"), (5, "11-07"), (14, "11-16")]
)
def test_a_consent_has_to_last_to_the_last_day_of_the_charge(
    sqlite_rig: Rig, retry_days: int, oldest: str
) -> None:
    sqlite_rig.config(policy={"retry_days": retry_days})
    quiet_shop(sqlite_rig)
    product(sqlite_rig, 1, 14_500)
    day = datetime.fromisoformat(f"2026-{oldest}")
    for name, moment in (("fresh", f"{oldest}T00:00"), ("stale", f"11-{day.day - 1:02}T23:59")):
        given = subscription(sqlite_rig, name, delivery_on=D, items=(COFFEE,))
        happen(sqlite_rig, name, given.item_id, [("consent", 14_500, moment)])
    notify(sqlite_rig)
    assert sealed(sqlite_rig, "amount_krw") == {"fresh": 14_500, "stale": 12_900}


def test_a_late_delivery_makes_a_consent_older(sqlite_rig: Rig) -> None:
    quiet_shop(sqlite_rig)
    product(sqlite_rig, 1, 14_500)
    given = subscription(sqlite_rig, delivery_on=D, items=(COFFEE,))
    happen(sqlite_rig, "", given.item_id, [("consent", 14_500, "11-05T09:00")])
    notify(sqlite_rig, "2026-12-05T09:00")
    (late,) = rounds(sqlite_rig)
    assert (str(late["delivery_on"]), late["amount_krw"]) == ("2026-12-07", 12_900)


def test_the_price_now_is_that_of_the_product_with_its_option_or_what_was_applied_for(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    option = Item(1, 12_900, option_price=600, name="예가체프")
    gone = {
        "sold": "",
        "hidden": "display = 'F'",
        "ended": "selling = 'F'",
        "deleted": "deleted_at = '2026-11-01'",
    }
    for number, (name, change) in enumerate(gone.items(), start=1):
        product(any_rig, number, 11_000)
        items = (Item(number, 12_900, option_price=600),)
        subscription(any_rig, name, delivery_on=D, items=items)
        if change:
            any_rig.shop(f"UPDATE product SET {change} WHERE product_no = {number}")
    subscription(any_rig, "row gone", delivery_on=D, items=(Item(9, option.price, option_price=600),))
    any_rig.shop("DELETE FROM product WHERE product_no = 9")
    notify(any_rig)
    applied = 13_500
    assert sealed(any_rig, "amount_krw") == {
        "sold": 11_600,
        "hidden": applied,
        "ended": applied,
        "deleted": applied,
        "row gone": applied,
    }


def test_a_product_no_longer_sold_costs_no_more_than_it_was_ordered_at_since(sqlite_rig: Rig) -> None:
    quiet_shop(sqlite_rig)
    product(sqlite_rig, 1, 11_000, display="F")
    given = subscription(sqlite_rig, "cheaper", delivery_on=D, items=(COFFEE,))
    happen(sqlite_rig, "cheaper", given.item_id, [("order", 11_500, "11-03T09:00")])
    given = subscription(sqlite_rig, "dearer", delivery_on=D, items=(COFFEE,))
    happen(sqlite_rig, "dearer", given.item_id, [("order", 13_900, "11-03T09:00")])
    notify(sqlite_rig)
    assert sealed(sqlite_rig, "amount_krw") == {"cheaper": 11_500, "dearer": 12_900}


@pytest.mark.parametrize(
    ("on_price_rise", "prices"),
    [
        ("keep_old_price", [12_900, 12_900, 12_000]),
        ("charge_new", [14_500, 15_000, 12_000]),
    ],
)
def test_what_was_charged_is_what_is_agreed_from_then_on(
    rig: Rig, on_price_rise: str, prices: list[int]
) -> None:
    rig.config(policy={"on_price_rise": on_price_rise})
    quiet_shop(rig)
    product(rig, 1, 14_500)
    subscription(rig, delivery_on=D, items=(COFFEE,))
    for month, price in (("2026-12", 14_500), ("2027-01", 15_000), ("2027-02", 12_000)):
        rig.shop("UPDATE product SET price = :price", price=price)
        notify(rig, f"{month}-01T09:00")
        rig.shop("UPDATE product SET price = 99000")
        charge(rig, f"{month}-02T10:00")
    assert [one["amount_krw"] for one in rounds(rig)] == prices
    assert [one.amount for one in rig.sandbox.toss.approvals()] == prices


def test_a_rise_after_a_fall_needs_consent_again(rig: Rig) -> None:
    quiet_shop(rig)
    product(rig, 1, 11_000)
    given = subscription(rig, delivery_on=D, items=(COFFEE,))
    for month, price in (("2026-12", 11_000), ("2027-01", 12_900), ("2027-02", 12_900)):
        rig.shop("UPDATE product SET price = :price", price=price)
        if month == "2027-02":
            consent(rig, given.item_id, 12_900, datetime(2027, 1, 20, 9))
        notify(rig, f"{month}-01T09:00")
        charge(rig, f"{month}-02T10:00")
    assert [one["amount_krw"] for one in rounds(rig)] == [11_000, 11_000, 12_900]
