"""Rule 4 from the shop's rows to the sealed sums: shipping, and the largest sum there is."""

from __future__ import annotations

import pytest

from tests.jobs.amounts import put, quiet_shop, sealed
from tests.jobs.charging import charge
from tests.jobs.notices import D, notify, open_matters
from tests.rig import Rig
from tests.shopkeeper import Item, region_fee, setting, shipping, subscription

pytestmark = pytest.mark.rule(4)

JEJU = "63100"


def test_the_base_fee_is_due_for_prepaid_items_below_free_over(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    shipping(any_rig, base_fee=3_000, free_over=20_000)
    setting(any_rig, (9,), {1: 10})
    cases = {
        "prepaid": ((Item(1, 1_000),), 3_000),
        "free": ((Item(2, 1_000, shipping="F"),), 0),
        "collect": ((Item(3, 1_000, shipping="C"),), 0),
        "free and collect": ((Item(2, 1_000, shipping="F"), Item(3, 1_000, shipping="C")), 0),
        "prepaid and free": ((Item(1, 1_000), Item(2, 1_000, shipping="F")), 3_000),
        "prepaid and collect": ((Item(1, 1_000), Item(3, 1_000, shipping="C")), 3_000),
        "a won below": ((Item(4, 19_999),), 3_000),
        "at equality": ((Item(5, 20_000),), 0),
        "below after discount": ((Item(9, 22_221),), 3_000),
        "equal after discount": ((Item(9, 22_222),), 0),
        "free items count": ((Item(1, 1_000), Item(6, 19_000, shipping="F")), 0),
        "the rest is paused": ((Item(1, 1_000), Item(6, 19_000, state="Q")), 3_000),
    }
    expected = put(any_rig, cases)
    notify(any_rig)
    assert sealed(any_rig, "shipping_fee") == expected


def test_a_region_fee_is_found_by_the_zip_code(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    region_fee(any_rig, "40200", "40240", 5_000)
    region_fee(any_rig, "63000", "63644", 4_000)
    cases = {
        "62999": 0,
        "63000": 4_000,
        "63644": 4_000,
        "63645": 0,
        "40200": 5_000,
        "40240": 5_000,
        "63002-1": 4_000,
        " 63002 ": 4_000,
        "690-012": 0,
        "402-200": 0,
        "": 0,
        "없음": 0,
    }
    for zipcode in cases:
        subscription(any_rig, f"zip {zipcode}.", delivery_on=D, receiver_zipcode=zipcode)
    notify(any_rig)
    assert sealed(any_rig, "shipping_fee") == {
        f"zip {zipcode}.": expected for zipcode, expected in cases.items()
    }


def test_a_region_fee_is_not_due_where_all_is_collected_or_a_setting_includes_it(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    shipping(any_rig, base_fee=3_000, free_over=20_000)
    region_fee(any_rig, "63000", "63644", 4_000)
    setting(any_rig, (8,), {}, 1, include_regional_shipping_rate="T")
    setting(any_rig, (9,), {1: 10}, 2, include_regional_shipping_rate="F")
    cases = {
        "prepaid": ((Item(1, 1_000),), 7_000),
        "free": ((Item(2, 1_000, shipping="F"),), 4_000),
        "collect": ((Item(3, 1_000, shipping="C"),), 0),
        "free and collect": ((Item(2, 1_000, shipping="F"), Item(3, 1_000, shipping="C")), 4_000),
        "prepaid and collect": ((Item(1, 1_000), Item(3, 1_000, shipping="C")), 7_000),
        "above, no setting": ((Item(1, 20_000),), 4_000),
        "above, not included": ((Item(9, 40_000),), 4_000),
        "above, included": ((Item(8, 20_000),), 0),
        "above, one of them": ((Item(9, 40_000), Item(8, 1_000)), 0),
        "below, included": ((Item(8, 19_999),), 7_000),
        "included but paused": ((Item(1, 20_000), Item(8, 1_000, state="B")), 4_000),
    }
    expected = put(any_rig, cases, receiver_zipcode=JEJU)
    notify(any_rig)
    assert sealed(any_rig, "shipping_fee") == expected


def test_a_shop_without_a_shipping_policy_asks_for_the_region_only(any_rig: Rig) -> None:
    quiet_shop(any_rig)
    any_rig.shop("DELETE FROM shipping_policy")
    region_fee(any_rig, "63000", "63644", 4_000)
    subscription(any_rig, "mainland", delivery_on=D)
    subscription(any_rig, "island", delivery_on=D, receiver_zipcode=JEJU)
    notify(any_rig)
    assert sealed(any_rig, "shipping_fee") == {"mainland": 0, "island": 4_000}


def test_the_address_is_that_of_the_seal(rig: Rig) -> None:
    quiet_shop(rig)
    region_fee(rig, "63000", "63644", 4_000)
    subscription(rig, delivery_on=D)
    notify(rig)
    rig.shop("UPDATE subscription SET receiver_zipcode = '63100', receiver_name = '이바다'")
    charge(rig)
    assert rig.shop("SELECT receiver_name, receiver_zipcode, shipping_fee, payment_amount FROM orders") == [
        {"receiver_name": "이바다", "receiver_zipcode": "63100", "shipping_fee": 0, "payment_amount": 12_900}
    ]


def test_a_sum_that_an_order_can_just_hold_is_charged_and_one_won_more_is_a_bad_row(rig: Rig) -> None:
    quiet_shop(rig)
    shipping(rig, base_fee=1)
    subscription(rig, "S-MOST", delivery_on=D, items=(Item(1, 2_147_483_646),))
    subscription(rig, "S-MORE", delivery_on=D, items=(Item(2, 2_147_483_647),))
    subscription(rig, "S-TWO", delivery_on=D, items=(Item(3, 1_073_741_824, 2),))
    assert notify(rig, check=1).counts["sealed"] == 1
    assert open_matters(rig) == [("bad_row", "S-MORE"), ("bad_row", "S-TWO")]
    charge(rig)
    assert rig.shop("SELECT subscription_id, payment_amount FROM orders") == [
        {"subscription_id": "S-MOST", "payment_amount": 2_147_483_647}
    ]
