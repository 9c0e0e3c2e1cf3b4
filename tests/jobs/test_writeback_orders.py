"""charge_d1: what is paid becomes an order of the shop, whole and once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.jobs.blocking import ORDER as OTHERS
from tests.jobs.charging import (
    BACKUP,
    CHARGE_AT,
    DELIVERY,
    SOFT,
    announced,
    charge,
    give_backup,
    matters,
    state,
    the_round,
)
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, setting, subscription

pytestmark = pytest.mark.rule(2, 11)

ITEMS = "SELECT * FROM subscription_item ORDER BY subscription_item_id"


def _items(rig: Rig) -> list[tuple[str, int, str]]:
    return [
        (
            str(row["expected_delivery_date"]),
            row["subscription_shipments_sequence"],
            row["subscription_state"],
        )
        for row in rig.shop(ITEMS)
    ]


def _unwrite(rig: Rig) -> None:
    """Take the order back, as if the run had been killed between payment and order."""
    for table in ("order_item", "orders"):
        rig.shop(f"DELETE FROM {table}")
    rig.ours("UPDATE billing_round SET written_at = NULL")
    rig.ours("UPDATE billing_round_item SET released_at = NULL")
    rig.shop(
        "UPDATE subscription_item "
        "SET expected_delivery_date = '2026-12-03', subscription_shipments_sequence = 1"
    )


def test_the_order_and_its_lines_are_those_of_the_sealed_round(rig: Rig) -> None:
    open_shop(rig)
    two = (Item(price=12_900, quantity=2, round_no=3), Item(product_no=2, price=8_000, option_value="분쇄"))
    subscription(rig, "S-1", delivery_on=DELIVERY, items=two)
    setting(rig, products=(1, 2), steps={1: 10})
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    charge(rig)
    (order,) = rig.shop("SELECT * FROM orders")
    round_ = the_round(rig)
    assert (
        order["order_id"]
        == round_["order_id"]
        == rig.ours("SELECT order_no FROM payment_attempt")[0]["order_no"]
    )
    assert (order["subscription_id"], order["delivery_date"], order["sequence"]) == ("S-1", DELIVERY, 3)
    assert (order["items_amount"], order["discount_amount"], order["payment_amount"]) == (
        33_800,
        3_380,
        30_420,
    )
    assert (order["pg_tid"], order["receiver_name"]) == (
        rig.sandbox.toss.approvals()[0].payment_key,
        "박바다",
    )
    assert str(order["paid_at"])[:15] == "2026-12-02 10:0"
    lines = rig.shop("SELECT line_no, sequence, product_no, option_value, quantity, amount FROM order_item")
    assert [tuple(line.values()) for line in lines] == [(1, 3, 1, "", 2, 23_220), (2, 1, 2, "분쇄", 1, 7_200)]


def test_the_order_names_the_gateway_and_payment_of_the_card_that_paid(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    charge(rig)
    (made,) = rig.sandbox.toss.approvals()
    assert made.billing_key == BACKUP
    assert rig.shop("SELECT order_id, pg_code, pg_tid FROM orders") == [
        {"order_id": made.order_no, "pg_code": "tosspayments", "pg_tid": made.payment_key}
    ]


def test_the_order_is_of_the_pg_that_was_paid_whatever_the_round_and_the_application_name(rig: Rig) -> None:
    announced(rig)
    rig.ours("UPDATE billing_round SET pg_code = 'allat'")
    rig.shop("UPDATE subscription SET pg_code = 'allat'")
    charge(rig)
    assert rig.shop("SELECT pg_code FROM orders") == [{"pg_code": "tosspayments"}]


def test_stock_is_taken_once_and_summed_per_product(rig: Rig) -> None:
    open_shop(rig)
    product(rig, 1, stock_quantity=10)
    product(rig, 2, price=8_000, stock_quantity=None)
    lines = (Item(quantity=2), Item(quantity=3, option_value="분쇄"), Item(product_no=2, price=8_000))
    subscription(rig, "S-1", delivery_on=DELIVERY, items=lines)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    for _ in range(2):
        charge(rig)
    stock = rig.shop("SELECT stock_quantity FROM product ORDER BY product_no")
    assert [row["stock_quantity"] for row in stock] == [5, None]


def test_every_item_moves_to_its_own_next_date_and_only_an_included_one_to_its_next_round(rig: Rig) -> None:
    open_shop(rig)
    product(rig, 3, price=1_000, sold_out="T")
    lines = (
        Item(cycle="1M", round_no=4),
        Item(product_no=2, price=8_000, cycle="2W", round_no=7),
        Item(product_no=3, price=1_000, cycle="1W", round_no=2),
    )
    subscription(rig, "S-1", delivery_on=DELIVERY, items=lines)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    charge(rig)
    assert _items(rig) == [("2027-01-03", 5, "U"), ("2026-12-17", 8, "U"), ("2026-12-10", 2, "U")]


@pytest.mark.parametrize(
    ("start", "due", "following"),
    [
        (date(2026, 8, 31), date(2026, 11, 30), "2026-12-31"),
        (date(2026, 10, 31), date(2027, 1, 31), "2027-02-28"),
        (date(2026, 12, 31), date(2027, 2, 28), "2027-03-31"),
        (date(2027, 8, 31), date(2028, 1, 31), "2028-02-29"),
    ],
)
def test_the_end_of_a_month_stays_the_end_of_the_month(
    rig: Rig, start: date, due: date, following: str
) -> None:
    open_shop(rig)
    subscription(rig, "S-1", delivery_on=due, items=(Item(start_date=start),))
    notice, pay = due.replace(day=due.day - 2), due.replace(day=due.day - 1)
    rig.run("notify_d2", "--as-of", f"{notice}T09:00")
    charge(rig, f"{pay}T10:00")
    assert _items(rig) == [(following, 2, "U")]


def test_a_paid_round_without_its_order_is_written_by_the_next_run(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    _unwrite(rig)
    ended = charge(rig, "2026-12-02T10:05")
    assert (ended.counts["written"], len(rig.shop("SELECT * FROM orders"))) == (1, 1)
    assert _items(rig) == [("2027-01-03", 2, "U")]


def test_an_order_of_ours_that_is_there_already_is_known(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = 10")
    charge(rig)
    rig.ours("UPDATE billing_round SET written_at = NULL")
    rig.ours("UPDATE billing_round_item SET released_at = NULL")
    charge(rig, "2026-12-02T10:05")
    assert (state(rig), matters(rig), len(rig.shop("SELECT * FROM orders"))) == ("paid", [], 1)
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": 9}]
    assert _items(rig) == [("2027-01-03", 2, "U")]


@pytest.mark.parametrize("number", ["HAND-1", "ours"])
def test_somebody_elses_order_for_the_round_holds_it(rig: Rig, number: str) -> None:
    announced(rig)
    charge(rig)
    order_no = the_round(rig)["order_id"]
    _unwrite(rig)
    other: dict[str, Any] = {"order_id": "HAND-1", "subscription_id": "S-1", "delivery_date": DELIVERY}
    if number == "ours":
        other = {"order_id": order_no, "subscription_id": "S-9", "delivery_date": DELIVERY}
        rig.broken_on_purpose = {"ordered_is_written"}
    rig.put("orders", **OTHERS, **other)
    ended = charge(rig, "2026-12-02T10:05", check=1)
    assert (state(rig), ended.counts["held"], matters(rig)) == ("held", 1, ["held"])
    assert (_items(rig), rig.shop("SELECT * FROM order_item")) == ([("2026-12-03", 1, "U")], [])


def test_goods_are_delivered_though_the_subscription_was_cancelled_after_the_charge(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    _unwrite(rig)
    rig.shop("UPDATE subscription SET subscription_state = 'C'")
    rig.shop("UPDATE subscription_item SET subscription_state = 'A'")
    charge(rig, "2026-12-02T10:05")
    assert len(rig.shop("SELECT * FROM orders")) == 1
    assert _items(rig) == [("2026-12-03", 1, "A")]


def test_a_date_the_customer_moved_further_away_stays(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE subscription_item SET expected_delivery_date = '2027-02-20'")
    charge(rig, CHARGE_AT)
    assert _items(rig) == [("2027-02-20", 2, "U")]


def test_what_was_dropped_at_the_notice_is_neither_in_the_order_nor_taken_from_the_stock(rig: Rig) -> None:
    open_shop(rig)
    product(rig, 3, price=1_000, sold_out="T", stock_quantity=4)
    subscription(rig, "S-1", delivery_on=DELIVERY, items=(Item(), Item(product_no=3, price=1_000)))
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    charge(rig)
    assert rig.shop("SELECT line_no, product_no FROM order_item") == [{"line_no": 1, "product_no": 1}]
    assert rig.shop("SELECT stock_quantity FROM product WHERE product_no = 3") == [{"stock_quantity": 4}]


def test_stock_sold_to_others_since_the_notice_falls_below_zero(rig: Rig) -> None:
    open_shop(rig)
    product(rig, 1, stock_quantity=2)
    subscription(rig, "S-1", delivery_on=DELIVERY, items=(Item(quantity=2),))
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    rig.shop("UPDATE product SET stock_quantity = 1")
    charge(rig)
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": -1}]


def test_the_shops_log_tells_of_the_payment_and_its_order(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    (line,) = rig.shop("SELECT detail FROM subscription_log WHERE event = 'round_paid'")
    assert line["detail"] == f"2026-12-03 1회차 12,900원 결제, 주문 {the_round(rig)['order_id']}"


def test_a_paid_round_whose_subscription_is_gone_is_held(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    _unwrite(rig)
    rig.shop("DELETE FROM subscription")
    ended = charge(rig, "2026-12-02T10:05", check=1)
    assert (state(rig), matters(rig), ended.counts["held"]) == ("held", ["held"], 1)
    charge(rig, "2026-12-02T10:10")


def test_an_item_that_is_gone_is_delivered_once_more_and_moved_no_further(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    _unwrite(rig)
    rig.shop("DELETE FROM subscription_item")
    charge(rig, "2026-12-02T10:05")
    assert (len(rig.shop("SELECT * FROM order_item")), state(rig), matters(rig)) == (1, "paid", [])
