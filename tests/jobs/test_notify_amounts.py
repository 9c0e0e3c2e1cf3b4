"""Rules 4 and 5 from the shop's rows to the sealed sum; every single rule has its table in tests/billing."""

from __future__ import annotations

from datetime import datetime

from tests.jobs.notices import D, notice, notify, the_round
from tests.rig import Rig
from tests.shopkeeper import (
    Item,
    consent,
    open_shop,
    product,
    region_fee,
    setting,
    shipping,
    subscription,
)

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


def test_the_base_fee_falls_at_the_sum_after_discount(any_rig: Rig) -> None:
    open_shop(any_rig)
    shipping(any_rig, base_fee=3_000, free_over=12_000)
    subscription(any_rig, delivery_on=D, items=(COFFEE,))
    setting(any_rig, steps={1: 900}, discount_value_unit="W")
    notify(any_rig)
    assert sealed(any_rig) == (12_900, 900, 0, 12_000)


def test_a_dropped_item_counts_neither_for_the_sum_nor_for_the_threshold(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, sold_out="T")
    subscription(any_rig, delivery_on=D, items=(COFFEE, Item(product_no=2, price=8_000)))
    setting(
        any_rig,
        products=(1, 2),
        steps={1: 10},
        use_order_price_condition="T",
        order_price_greater_than=13_000,
    )
    notify(any_rig)
    assert sealed(any_rig) == (12_900, 0, 0, 12_900)


def test_a_risen_price_is_charged_as_agreed_and_said(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 1, 14_500)
    subscription(any_rig, delivery_on=D, items=(COFFEE,))
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 12_900
    assert "12,900원 → 14,500원" in notice(any_rig)


def test_a_risen_price_is_charged_once_it_is_consented_to(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 1, 14_500)
    given = subscription(any_rig, delivery_on=D, items=(COFFEE,))
    consent(any_rig, given.item_id, 14_500, datetime(2026, 11, 20, 9))
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 14_500
    assert "가격이 오른 상품" not in notice(any_rig)


def test_a_consent_of_more_than_30_days_before_the_last_charge_is_too_old(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 1, 14_500)
    given = subscription(any_rig, delivery_on=D, items=(COFFEE,))
    consent(any_rig, given.item_id, 14_500, datetime(2026, 11, 4, 9))
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 12_900


def test_a_fallen_price_is_passed_on(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 1, 11_000)
    subscription(any_rig, delivery_on=D, items=(COFFEE,))
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 11_000


def test_a_round_of_nothing_is_announced_as_nothing(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, items=(Item(price=0),))
    notify(any_rig)
    assert (the_round(any_rig)["state"], the_round(any_rig)["amount_krw"]) == ("due", 0)
    assert "결제 금액: 0원" in notice(any_rig)


def test_what_is_sealed_stays_when_the_price_changes(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, items=(COFFEE,))
    notify(any_rig, "2026-12-01T22:00")
    any_rig.shop("UPDATE product SET price = 1")
    any_rig.shop("UPDATE subscription_item SET quantity = 9")
    notify(any_rig, "2026-12-02T09:00")
    assert "결제 금액: 12,900원" in notice(any_rig)
