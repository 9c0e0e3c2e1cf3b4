"""Rule 4: a whole sum from the shop's rows to the notice and the charge; its parts have tables elsewhere."""

from __future__ import annotations

from datetime import date

import pytest

from tests.jobs.charging import charge
from tests.jobs.notices import D, notice, notify, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import (
    Item,
    open_shop,
    product,
    region_fee,
    setting,
    shipping,
    subscription,
)

pytestmark = pytest.mark.rule(4)

COFFEE = Item(product_no=1, price=12_900)


def sealed(rig: Rig) -> tuple[int, int, int, int]:
    found = the_round(rig)
    return (found["items_amount"], found["discount_amount"], found["shipping_fee"], found["amount_krw"])


def test_the_sum_is_items_less_discount_plus_shipping(any_rig: Rig) -> None:
    open_shop(any_rig)
    shipping(any_rig, base_fee=3_000, free_over=50_000)
    region_fee(any_rig, "63000", "63644", 4_000)
    tea = Item(product_no=2, price=8_000, quantity=2, option_price=500, round_no=3)
    subscription(any_rig, delivery_on=D, items=(COFFEE, tea), receiver_zipcode="63100")
    setting(any_rig, products=(1, 2), steps={1: 5, 3: 10})
    notify(any_rig)
    # 12,900 at 5 % and 17,000 at 10 %, each floored to the won.
    assert sealed(any_rig) == (29_900, 645 + 1_700, 3_000 + 4_000, 29_900 - 2_345 + 7_000)
    assert "결제 금액: 34,555원" in notice(any_rig)


def test_a_dropped_item_counts_for_no_part_of_the_sum(any_rig: Rig) -> None:
    open_shop(any_rig)
    shipping(any_rig, base_fee=3_000, free_over=13_000)
    region_fee(any_rig, "06000", "06999", 4_000)
    product(any_rig, 2, 8_000, sold_out="T")
    included = Item(product_no=1, price=12_900, shipping="C")
    subscription(any_rig, delivery_on=D, items=(included, Item(product_no=2, price=8_000)))
    setting(
        any_rig,
        products=(1, 2),
        steps={1: 10},
        use_order_price_condition="T",
        order_price_greater_than=13_000,
        include_regional_shipping_rate="T",
    )
    notify(any_rig)
    assert sealed(any_rig) == (12_900, 0, 0, 12_900)


def test_two_rounds_of_one_subscription_each_have_their_own_shipping(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    shipping(sqlite_rig, base_fee=3_000, free_over=20_000)
    early = Item(product_no=2, price=8_000, delivery_on=date(2026, 12, 2))
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, early))
    notify(sqlite_rig)
    assert [(one["shipping_fee"], one["amount_krw"]) for one in rounds(sqlite_rig)] == [
        (3_000, 11_000),
        (3_000, 15_900),
    ]


LATER = [
    pytest.param("UPDATE product SET price = 1", id="price"),
    pytest.param("UPDATE product SET product_type = 'B', sold_out = 'T', stock_quantity = 0", id="sold_out"),
    pytest.param("UPDATE subscription_setting_discount SET discount_amount = 100", id="discount"),
    pytest.param("UPDATE subscription_setting SET use_discount = 'F'", id="no_discount"),
    pytest.param("UPDATE shipping_policy SET base_fee = 9000, free_over = NULL", id="shipping"),
    pytest.param("UPDATE subscription SET receiver_zipcode = '63100'", id="address"),
    pytest.param("UPDATE subscription_item SET quantity = 9, option_price = 500", id="quantity"),
    pytest.param("UPDATE subscription_item SET subscription_shipments_sequence = 7", id="round_number"),
    pytest.param("UPDATE subscription_item SET shipping_payment_option = 'F'", id="way_of_shipping"),
]


@pytest.mark.parametrize("later", LATER)
def test_what_is_sealed_is_announced_and_charged_whatever_changes(rig: Rig, later: str) -> None:
    open_shop(rig)
    shipping(rig, base_fee=3_000, free_over=50_000)
    region_fee(rig, "63000", "63644", 4_000)
    setting(rig, steps={1: 10, 7: 50})
    subscription(rig, delivery_on=D, items=(COFFEE,))
    notify(rig, "2026-12-01T22:00")
    rig.shop(later)
    notify(rig, "2026-12-02T09:00")
    assert "결제 금액: 14,610원" in notice(rig)
    charge(rig, "2026-12-03T10:00")
    assert [one.amount for one in rig.sandbox.toss.approvals()] == [14_610]
    assert rig.shop("SELECT payment_amount FROM orders") == [{"payment_amount": 14_610}]
