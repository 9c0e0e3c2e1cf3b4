"""A round of nothing is announced and delivered, but no gateway is asked (rule 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib.billing.numbers import order_no
from tests.jobs.charging import CHARGE_AT, charge, charges, state
from tests.jobs.notices import D, notice, notify, the_round
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, setting, subscription

pytestmark = pytest.mark.rule(4)

S = "S-1"


def all_off(rig: Rig) -> None:
    setting(rig, steps={1: 100})


def given_away(rig: Rig) -> None:
    rig.shop("UPDATE product SET price = 0")


def more_off_than_it_costs(rig: Rig) -> None:
    setting(rig, steps={1: 99_999}, discount_value_unit="W")


def announced(rig: Rig, reduce: Callable[[Rig], None] = all_off) -> None:
    open_shop(rig)
    product(rig, stock_quantity=10)
    subscription(rig, S, delivery_on=D, items=(Item(quantity=2),))
    reduce(rig)
    notify(rig)


@pytest.mark.parametrize("reduce", [all_off, given_away, more_off_than_it_costs])
def test_a_round_of_nothing_is_paid_and_ordered_without_a_gateway(
    rig: Rig, reduce: Callable[[Rig], None]
) -> None:
    announced(rig, reduce)
    assert "결제 금액: 0원" in notice(rig)
    counts = charge(rig).counts
    assert (counts["due"], counts["paid"], counts["written"], charges(rig)) == (1, 1, 1, 0)
    assert rig.ours("SELECT * FROM payment_attempt") == rig.ours("SELECT * FROM payment") == []
    number = order_no(1, S, D, 0)
    assert number.endswith("00")
    assert (state(rig), the_round(rig)["order_id"]) == ("paid", number)
    orders = rig.shop("SELECT order_id, payment_amount, pg_code, pg_tid, approval_no FROM orders")
    assert [tuple(row.values()) for row in orders] == [(number, 0, "tosspayments", "", "")]
    assert rig.shop("SELECT quantity, amount FROM order_item") == [{"quantity": 2, "amount": 0}]
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": 8}]
    moved = rig.shop(
        "SELECT expected_delivery_date AS d, subscription_shipments_sequence AS n FROM subscription_item"
    )
    assert [(str(row["d"]), row["n"]) for row in moved] == [("2027-01-03", 2)]


def test_a_round_of_nothing_is_paid_once(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    before = rig.checksums()
    assert charge(rig, "2026-12-02T17:00").counts["due"] == 0
    assert rig.checksums() == before


def test_a_round_of_nothing_waits_for_its_day_and_for_the_morning_too(rig: Rig) -> None:
    announced(rig)
    for at in ("2026-12-01T20:00", "2026-12-02T07:59"):
        assert charge(rig, at).counts["paid"] == 0
    assert charge(rig, "2026-12-02T08:00").counts["paid"] == 1


def test_a_round_of_nothing_that_nobody_was_told_of_is_not_delivered(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, S, delivery_on=D)
    all_off(rig)
    notify(rig, "2026-12-01T22:00")
    charge(rig, "2026-12-02T07:00")
    assert state(rig) == "sealed"


def test_a_round_of_nothing_but_shipping_is_charged(rig: Rig) -> None:
    open_shop(rig)
    rig.shop("UPDATE shipping_policy SET base_fee = 3000")
    subscription(rig, S, delivery_on=D)
    all_off(rig)
    notify(rig)
    charge(rig, CHARGE_AT)
    assert [one.amount for one in rig.sandbox.toss.approvals()] == [3_000]


def test_a_round_of_nothing_needs_no_gateway_that_answers(rig: Rig) -> None:
    announced(rig)
    rig.config(gateway={"tosspayments": {"enabled": False}})
    charge(rig, check=None)
    assert state(rig) == "paid"
