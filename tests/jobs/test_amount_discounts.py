"""Rule 4 from the shop's rows to the sealed sums: discounts."""

from __future__ import annotations

import pytest

from tests.jobs.amounts import put, quiet_shop, sealed
from tests.jobs.notices import D, notify
from tests.rig import Rig
from tests.shopkeeper import Item, product, setting, subscription

pytestmark = pytest.mark.rule(4)


def test_the_largest_step_up_to_the_items_own_round_number_holds(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    setting(any_rig, steps={2: 5, 5: 10, 9: 0})
    steps = {1: 0, 2: 500, 4: 500, 5: 1_000, 8: 1_000, 9: 0, 40: 0}
    cases = {f"round {number}": ((Item(1, 10_000, round_no=number),), won) for number, won in steps.items()}
    expected = put(any_rig, cases)
    notify(any_rig)
    assert sealed(any_rig, "discount_amount") == expected


def test_each_unit_of_discount_is_taken_as_its_setting_says(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    won = {"discount_value_unit": "W"}
    per_line = won | {"related_purchase_quantity": "F"}
    setting(any_rig, (1,), {1: 10}, 1, discount_value_unit="P", related_purchase_quantity="F")
    setting(any_rig, (2,), {1: 400}, 2, related_purchase_quantity="T", **won)
    setting(any_rig, (3,), {1: 400}, 3, **per_line)
    setting(any_rig, (4,), {1: 400}, 4, use_discount="F", **won)
    setting(any_rig, (5,), {}, 5, use_discount="T")
    setting(any_rig, (6,), {1: 100}, 6)
    cases = {
        "percent, floored per line": ((Item(1, 333, 3),), 99),
        "won per piece": ((Item(2, 1_000, 3),), 1_200),
        "won per piece, capped": ((Item(2, 399, 3),), 1_197),
        "won per line": ((Item(3, 1_000, 3),), 400),
        "won per line, capped": ((Item(3, 133, 3),), 399),
        "setting without discount": ((Item(4, 1_000, 3),), 0),
        "setting without steps": ((Item(5, 1_000, 3),), 0),
        "all of it": ((Item(6, 999, 3),), 2_997),
        "no setting": ((Item(7, 1_000, 3),), 0),
    }
    expected = put(any_rig, cases)
    notify(any_rig)
    assert sealed(any_rig, "discount_amount") == expected


def test_a_threshold_counts_the_included_items_of_its_own_setting_before_discount(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    for number in (1, 2):
        setting(
            any_rig,
            (number * 10, number * 10 + 1),
            {1: 50},
            number,
            use_order_price_condition="T",
            order_price_greater_than=20_000,
        )
    setting(any_rig, (30,), {1: 50}, 3, use_order_price_condition="F", order_price_greater_than=20_000)
    product(any_rig, 11, 10_000, sold_out="T")
    ten, other = Item(10, 10_000), Item(20, 10_000)
    cases = {
        "a won below": ((Item(10, 19_999),), 0),
        "at equality": ((Item(10, 20_000),), 10_000),
        "two lines": ((ten, ten), 10_000),
        "two products": ((other, Item(21, 10_000)), 10_000),
        "another setting": ((ten, other), 0),
        "no setting": ((ten, Item(40, 10_000)), 0),
        "the rest sold out": ((ten, Item(11, 10_000)), 0),
        "the rest paused": ((ten, Item(10, 10_000, state="B")), 0),
        "a threshold not used": ((Item(30, 10_000),), 5_000),
    }
    expected = put(any_rig, cases)
    notify(any_rig)
    assert sealed(any_rig, "discount_amount") == expected


def test_items_of_one_round_keep_their_own_settings_round_numbers_and_steps(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    setting(any_rig, (1, 2), {1: 5, 3: 10}, 1)
    setting(any_rig, (3,), {2: 700}, 2, discount_value_unit="W")
    items = (
        Item(1, 10_000, round_no=1),
        Item(2, 10_000, round_no=3),
        Item(3, 10_000, 2, round_no=1),
        Item(3, 10_000, 2, round_no=2),
        Item(4, 10_000, round_no=12),
    )
    subscription(any_rig, delivery_on=D, items=items)
    notify(any_rig)
    rows = any_rig.ours("SELECT discount_amount FROM billing_round_item ORDER BY item_id")
    assert [row["discount_amount"] for row in rows] == [500, 1_000, 0, 1_400, 0]
    assert any_rig.ours("SELECT round_no FROM billing_round") == [{"round_no": 12}]
