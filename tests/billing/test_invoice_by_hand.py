"""The amount of any round, held against a sum made step by step as rule 4 tells it."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import floor
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.invoice import Invoice, Line, Setting, ShippingPolicy, make_invoice

pytestmark = pytest.mark.rule(4)
hundred = settings(max_examples=100, deadline=None, database=None)


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[Line], ShippingPolicy, int]:
    """Make any round; thresholds lie at, just below and just above sums that occur."""
    prices = [(draw(st.integers(0, 50_000)), draw(st.integers(1, 9))) for _ in range(draw(st.integers(0, 6)))]
    sums = [price * quantity for price, quantity in prices]
    near = st.sampled_from([*sums, sum(sums), 0]).flatmap(
        lambda won: st.sampled_from([won, won + 1, won - 1])
    )
    made = [draw(_settings(number, near)) for number in range(1, 4)]
    lines = [
        Line(
            item_id,
            draw(st.integers(1, 12)),
            price,
            quantity,
            draw(st.sampled_from([None, *made])),
            draw(st.sampled_from(["prepaid", "free", "collect"])),
        )
        for item_id, (price, quantity) in enumerate(prices)
    ]
    policy = ShippingPolicy(draw(st.sampled_from([0, 3_000])), draw(st.none() | near))
    return lines, policy, draw(st.sampled_from([0, 4_000]))


def _settings(number: int, near: st.SearchStrategy[int]) -> st.SearchStrategy[Setting]:
    unit: st.SearchStrategy[Literal["percent", "won"]] = st.sampled_from(["percent", "won"])
    return unit.flatmap(
        lambda chosen: st.builds(
            Setting,
            st.just(number),
            st.just(chosen),
            per_piece=st.booleans(),
            threshold=st.none() | near,
            waives_region_fee=st.booleans(),
            steps=st.dictionaries(
                st.integers(1, 12), st.integers(0, 100 if chosen == "percent" else 60_000), max_size=4
            ).map(lambda steps: tuple(steps.items())),
        )
    )


def discount_by_hand(line: Line, lines: list[Line]) -> int:
    setting = line.setting
    if setting is None:
        return 0
    together = 0
    for other in lines:
        if other.setting is not None and other.setting.setting_no == setting.setting_no:
            together += other.unit_price * other.quantity
    if setting.threshold is not None and together < setting.threshold:
        return 0
    step = 0
    for round_no in range(1, line.round_no + 1):
        step = dict(setting.steps).get(round_no, step)
    cost = line.unit_price * line.quantity
    if setting.unit == "percent":
        return floor(Fraction(cost) * Fraction(step, 100))
    wanted = sum(step for _ in range(line.quantity)) if setting.per_piece else step
    return min(wanted, cost)


def shipping_by_hand(lines: list[Line], goods: int, policy: ShippingPolicy, region: int) -> int:
    ways = {line.shipping for line in lines}
    reached = policy.free_over is not None and goods >= policy.free_over
    fee = 0
    if "prepaid" in ways and not reached:
        fee += policy.base_fee
    includes_region = [line for line in lines if line.setting is not None and line.setting.waives_region_fee]
    if ways & {"prepaid", "free"} and not (reached and includes_region):
        fee += region
    return fee


@hundred
@given(rounds())
def test_an_invoice_is_what_a_clerk_would_write(made: tuple[list[Line], ShippingPolicy, int]) -> None:
    lines, policy, region = made
    invoice = make_invoice(lines, policy, region)
    discounts = [discount_by_hand(line, lines) for line in lines]
    goods = sum(line.unit_price * line.quantity for line in lines)
    shipping = shipping_by_hand(lines, goods - sum(discounts), policy, region)
    assert [one.discount_amount for one in invoice.lines] == discounts
    assert (invoice.items_amount, invoice.shipping_fee) == (goods, shipping)
    assert invoice.amount_krw == goods - sum(discounts) + shipping


@hundred
@given(rounds())
def test_the_lines_and_the_fees_make_up_the_amount(made: tuple[list[Line], ShippingPolicy, int]) -> None:
    lines, policy, region = made
    invoice = make_invoice(lines, policy, region)
    assert [one.item_id for one in invoice.lines] == [line.item_id for line in lines]
    assert invoice.discount_amount == sum(one.discount_amount for one in invoice.lines)
    assert invoice.amount_krw == sum(one.amount for one in invoice.lines) + invoice.shipping_fee
    assert invoice.amount_krw == invoice.items_amount - invoice.discount_amount + invoice.shipping_fee
    for one, line in zip(invoice.lines, lines, strict=True):
        assert one.amount + one.discount_amount == line.full_amount
        assert 0 <= one.discount_amount <= line.full_amount
    assert 0 <= invoice.discount_amount <= invoice.items_amount
    assert 0 <= invoice.shipping_fee <= policy.base_fee + region
    assert invoice.amount_krw >= 0


@settings(max_examples=30, deadline=None, database=None)
@given(rounds())
def test_the_order_of_the_items_changes_no_amount(made: tuple[list[Line], ShippingPolicy, int]) -> None:
    lines, policy, region = made
    expected = _sums(make_invoice(lines, policy, region))
    for other in list(permutations(lines))[:24]:
        assert _sums(make_invoice(other, policy, region)) == expected


def _sums(invoice: Invoice) -> tuple[dict[int, int], int, int]:
    return {one.item_id: one.amount for one in invoice.lines}, invoice.shipping_fee, invoice.amount_krw
