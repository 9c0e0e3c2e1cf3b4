"""Amounts to the won (rule 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from lib.billing.invoice import (
    Invoice,
    InvoiceLine,
    Line,
    Setting,
    ShippingPolicy,
    make_invoice,
    region_fee,
)

pytestmark = pytest.mark.rule(4)

Shipping = Literal["prepaid", "free", "collect"]

TEN_PERCENT = Setting(1, "percent", per_piece=True, threshold=None, waives_region_fee=False, steps=((1, 10),))
WON = Setting(2, "won", per_piece=False, threshold=None, waives_region_fee=False, steps=((1, 500),))
WON_PER_PIECE = replace(WON, per_piece=True)
STEPPED = replace(TEN_PERCENT, steps=((6, 20), (2, 5), (3, 10)))
NO_FEES = ShippingPolicy(base_fee=0, free_over=None)
FREE_OVER_30000 = ShippingPolicy(base_fee=3000, free_over=30000)


def line(
    unit_price: int,
    quantity: int = 1,
    *,
    setting: Setting | None = None,
    round_no: int = 1,
    shipping: Shipping = "prepaid",
) -> Line:
    return Line(7, round_no, unit_price, quantity, setting, shipping)


def discount_of(item: Line) -> int:
    return make_invoice((item,), NO_FEES, 0).discount_amount


def fees(*items: Line, policy: ShippingPolicy = FREE_OVER_30000, region: int = 5000) -> int:
    return make_invoice(items, policy, region).shipping_fee


def test_an_invoice_adds_up_to_the_won() -> None:
    items = (
        Line(1, 3, 9990, 3, TEN_PERCENT, "prepaid"),
        Line(2, 1, 12900, 1, WON, "prepaid"),
        Line(3, 1, 4000, 2, None, "free"),
    )
    assert make_invoice(items, ShippingPolicy(3000, 50000), 4000) == Invoice(
        lines=(InvoiceLine(1, 2997, 26973), InvoiceLine(2, 500, 12400), InvoiceLine(3, 0, 8000)),
        items_amount=50870,
        discount_amount=3497,
        shipping_fee=7000,
        amount_krw=54373,
    )


def test_no_items_cost_nothing() -> None:
    assert make_invoice((), ShippingPolicy(3000, None), 5000) == Invoice((), 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("unit_price", "quantity", "discount"),
    [(10, 1, 1), (19, 1, 1), (20, 1, 2), (9, 1, 0), (9999, 1, 999), (333, 3, 99), (0, 5, 0)],
)
def test_percent_is_floored_per_line_not_per_piece(unit_price: int, quantity: int, discount: int) -> None:
    assert discount_of(line(unit_price, quantity, setting=TEN_PERCENT)) == discount


def test_percent_is_floored_in_each_line_on_its_own() -> None:
    items = (line(15, setting=TEN_PERCENT), line(15, setting=TEN_PERCENT))
    assert make_invoice(items, NO_FEES, 0).discount_amount == 2


@pytest.mark.parametrize(
    ("setting", "quantity", "discount"),
    [(WON, 1, 500), (WON, 3, 500), (WON_PER_PIECE, 1, 500), (WON_PER_PIECE, 3, 1500)],
)
def test_won_is_taken_off_per_line_or_per_piece(setting: Setting, quantity: int, discount: int) -> None:
    assert discount_of(line(10000, quantity, setting=setting)) == discount


@pytest.mark.parametrize(
    ("setting", "unit_price", "quantity", "discount"),
    [
        (WON, 501, 1, 500),
        (WON, 500, 1, 500),
        (WON, 499, 1, 499),
        (WON, 250, 2, 500),
        (WON_PER_PIECE, 499, 2, 998),
        (replace(TEN_PERCENT, steps=((1, 100),)), 999, 1, 999),
        (replace(TEN_PERCENT, steps=((1, 120),)), 999, 1, 999),
    ],
)
def test_no_line_is_discounted_below_zero(
    setting: Setting, unit_price: int, quantity: int, discount: int
) -> None:
    assert discount_of(line(unit_price, quantity, setting=setting)) == discount


@pytest.mark.parametrize(
    ("round_no", "discount"),
    [(1, 0), (2, 500), (3, 1000), (4, 1000), (5, 1000), (6, 2000), (7, 2000), (99, 2000)],
)
def test_the_largest_step_up_to_the_round_number_holds(round_no: int, discount: int) -> None:
    assert discount_of(line(10000, setting=STEPPED, round_no=round_no)) == discount


def test_each_item_has_the_step_of_its_own_round_number() -> None:
    items = (line(10000, setting=STEPPED, round_no=1), line(10000, setting=STEPPED, round_no=6))
    assert [one.discount_amount for one in make_invoice(items, NO_FEES, 0).lines] == [0, 2000]


@pytest.mark.parametrize("setting", [None, replace(TEN_PERCENT, steps=()), replace(WON, steps=())])
def test_without_a_setting_or_a_step_there_is_no_discount(setting: Setting | None) -> None:
    assert discount_of(line(10000, setting=setting)) == 0


@pytest.mark.parametrize(
    ("unit_price", "quantity", "discount"),
    [(10000, 2, 0), (29999, 1, 0), (9999, 3, 0), (30000, 1, 3000), (10000, 3, 3000), (30001, 1, 3000)],
)
def test_the_threshold_is_reached_at_equality(unit_price: int, quantity: int, discount: int) -> None:
    item = line(unit_price, quantity, setting=replace(TEN_PERCENT, threshold=30000))
    assert discount_of(item) == discount


def test_a_threshold_of_nothing_is_always_reached() -> None:
    assert discount_of(line(10, setting=replace(TEN_PERCENT, threshold=0))) == 1


def test_every_setting_of_a_round_has_its_own_threshold_unit_and_step() -> None:
    items = (
        line(10000, setting=replace(STEPPED, threshold=20000), round_no=2),
        line(10000, setting=replace(STEPPED, threshold=20000), round_no=7),
        line(9000, 2, setting=replace(WON_PER_PIECE, setting_no=3, threshold=18001)),
        line(9000, 2, setting=replace(WON_PER_PIECE, setting_no=4, threshold=18000)),
        line(100, setting=replace(WON, setting_no=5)),
        line(7777),
    )
    discounts = [one.discount_amount for one in make_invoice(items, NO_FEES, 0).lines]
    assert discounts == [500, 2000, 0, 1000, 100, 0]


@pytest.mark.parametrize(
    ("other", "discount"),
    [
        pytest.param(line(20000, setting=replace(TEN_PERCENT, threshold=30000)), 3000, id="same setting"),
        pytest.param(line(20000, setting=replace(WON, steps=())), 0, id="another setting"),
        pytest.param(line(20000), 0, id="no setting"),
    ],
)
def test_the_threshold_counts_the_items_of_the_same_setting(other: Line, discount: int) -> None:
    items = (line(10000, setting=replace(TEN_PERCENT, threshold=30000)), other)
    assert make_invoice(items, NO_FEES, 0).discount_amount == discount


def test_the_threshold_counts_before_discount() -> None:
    half = replace(TEN_PERCENT, threshold=30000, steps=((1, 50),))
    assert discount_of(line(15000, 2, setting=half)) == 15000


@pytest.mark.parametrize(("unit_price", "fee"), [(29999, 8000), (30000, 5000), (30001, 5000)])
def test_the_base_fee_is_waived_from_free_over_on(unit_price: int, fee: int) -> None:
    assert fees(line(unit_price)) == fee


@pytest.mark.parametrize(("unit_price", "fee"), [(33332, 8000), (33333, 5000)])
def test_free_over_counts_after_discount(unit_price: int, fee: int) -> None:
    assert fees(line(unit_price, setting=TEN_PERCENT)) == fee


def test_free_over_counts_every_item_however_it_is_shipped() -> None:
    assert fees(line(10000), line(10000, shipping="free"), line(10000, shipping="collect")) == 5000


@pytest.mark.parametrize(("free_over", "fee"), [(None, 8000), (0, 5000)])
def test_without_free_over_nothing_is_waived(free_over: int | None, fee: int) -> None:
    assert fees(line(99999999), policy=ShippingPolicy(3000, free_over)) == fee


@pytest.mark.parametrize(
    ("shipping", "fee"),
    [
        (("prepaid",), 8000),
        (("free",), 5000),
        (("collect",), 0),
        (("free", "free"), 5000),
        (("free", "collect"), 5000),
        (("prepaid", "free"), 8000),
        (("prepaid", "collect"), 8000),
        (("prepaid", "prepaid"), 8000),
        (("prepaid", "free", "collect"), 8000),
        (("collect", "collect"), 0),
    ],
)
def test_the_way_of_shipping_decides_which_fees_are_due(shipping: tuple[Shipping, ...], fee: int) -> None:
    assert fees(*(line(1000, shipping=one) for one in shipping)) == fee


@pytest.mark.parametrize(
    ("unit_price", "waives", "fee"), [(29999, True, 8000), (30000, True, 0), (30000, False, 5000)]
)
def test_a_setting_can_waive_the_region_fee_with_the_base_fee(
    unit_price: int, waives: bool, fee: int
) -> None:
    setting = replace(TEN_PERCENT, steps=(), waives_region_fee=waives)
    assert fees(line(unit_price, setting=setting)) == fee


def test_one_such_setting_waives_the_region_fee_of_the_whole_round() -> None:
    waiving = replace(TEN_PERCENT, steps=(), waives_region_fee=True)
    assert fees(line(20000), line(10000, setting=waiving), line(1000, setting=WON)) == 0


@pytest.mark.parametrize(
    ("unit_price", "shipping", "fee"),
    [(29999, "free", 5000), (30000, "free", 0), (29999, "collect", 0), (30000, "collect", 0)],
)
def test_only_the_sum_waives_the_region_fee_and_not_the_way_of_shipping(
    unit_price: int, shipping: Shipping, fee: int
) -> None:
    waiving = replace(TEN_PERCENT, steps=(), waives_region_fee=True)
    assert fees(line(unit_price, setting=waiving, shipping=shipping)) == fee


def test_without_free_over_no_setting_waives_the_region_fee() -> None:
    waiving = replace(TEN_PERCENT, waives_region_fee=True)
    assert fees(line(99999, setting=waiving), policy=ShippingPolicy(0, None)) == 5000


def test_a_round_may_cost_nothing_or_its_shipping_only() -> None:
    everything = replace(TEN_PERCENT, steps=((1, 100),))
    assert make_invoice((line(12900, setting=everything),), NO_FEES, 0).amount_krw == 0
    assert make_invoice((line(12900, setting=everything),), FREE_OVER_30000, 4000).amount_krw == 7000


@pytest.mark.parametrize(
    ("zipcode", "fee"),
    [
        ("62999", 0),
        ("63000", 3000),
        ("63644", 3000),
        ("63645", 0),
        ("40200", 5000),
        ("63002-1", 3000),
        ("63002-1234", 3000),
        (" 63002 ", 3000),
        ("(63002)", 3000),
        ("[우편번호] 63002", 3000),
    ],
)
def test_a_region_is_found_by_five_digits(zipcode: str, fee: int) -> None:
    assert region_fee(zipcode, [("40200", "40240", 5000), ("63000", "63644", 3000)]) == fee


@pytest.mark.parametrize(
    "zipcode", ["", "630", "6300", "630021", "690-012", "63-002", "1-63002", "제주시", "６３００２"]
)
def test_what_is_no_postal_code_of_five_digits_has_no_region(zipcode: str) -> None:
    assert region_fee(zipcode, [("00000", "99999", 3000)]) == 0


def test_of_overlapping_regions_the_first_counts() -> None:
    assert region_fee("63365", [("63365", "63365", 7000), ("63000", "63644", 3000)]) == 7000
