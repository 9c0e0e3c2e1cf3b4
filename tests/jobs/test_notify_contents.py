"""Rule 3: what is in a round, what is dropped from it and said to be, and when nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from lib.billing import words
from tests.jobs.notices import D_MINUS_2, D, body, logged, mails_to, notice, notify, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, subscription

COFFEE = Item(product_no=1, price=12_900, name="예가체프")
TEA = Item(product_no=2, price=8_000, name="보성 녹차")


def lines(rig: Rig) -> list[tuple[int, str | None]]:
    rows = rig.ours("SELECT product_no, excluded_reason FROM billing_round_item ORDER BY item_id")
    return [(row["product_no"], row["excluded_reason"]) for row in rows]


@pytest.mark.parametrize("state", ["B", "Q", "M", "A", "O"])
def test_only_items_in_use_are_in_a_round(any_rig: Rig, state: str) -> None:
    open_shop(any_rig)
    paused = Item(product_no=2, price=8_000, state=state)
    subscription(any_rig, delivery_on=D, items=(COFFEE, paused))
    notify(any_rig)
    assert lines(any_rig) == [(1, None)]


@pytest.mark.parametrize("state", ["P", "C"])
def test_a_paused_or_ended_subscription_has_no_round(any_rig: Rig, state: str) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, subscription_state=state)
    assert notify(any_rig).counts["due"] == 0
    assert rounds(any_rig) == []


def test_items_of_two_dates_make_two_rounds(any_rig: Rig) -> None:
    open_shop(any_rig)
    early = Item(product_no=2, price=8_000, delivery_on=date(2026, 12, 2))
    subscription(any_rig, delivery_on=D, items=(COFFEE, early))
    notify(any_rig)
    found = [(one["delivery_on"], one["amount_krw"]) for one in rounds(any_rig)]
    assert found == [(date(2026, 12, 2), 8_000), (D, 12_900)]


def test_an_item_of_a_later_date_waits_for_its_own_round(any_rig: Rig) -> None:
    open_shop(any_rig)
    later = Item(product_no=2, delivery_on=date(2026, 12, 4))
    subscription(any_rig, delivery_on=D, items=(COFFEE, later))
    notify(any_rig)
    assert lines(any_rig) == [(1, None)]


DROPPED = [
    pytest.param({"product_type": "B"}, "set_product", "세트상품", id="set_product"),
    pytest.param({"one_plus_n": "T"}, "one_plus_n", "1+N", id="one_plus_n"),
    pytest.param({"sold_out": "T"}, "sold_out", "품절", id="sold_out"),
    pytest.param({"stock_quantity": 0}, "short_of_stock", "재고 부족", id="short_of_stock"),
]


@pytest.mark.parametrize(("columns", "reason", "said"), DROPPED)
def test_what_is_dropped_is_named_in_the_notice_and_in_the_log(
    any_rig: Rig, columns: dict[str, object], reason: str, said: str
) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, product_name="보성 녹차", **columns)
    subscription(any_rig, delivery_on=D, items=(COFFEE, TEA))
    counts = notify(any_rig).counts
    assert (counts["dropped_items"], the_round(any_rig)["amount_krw"]) == (1, 12_900)
    assert lines(any_rig) == [(1, None), (2, reason)]
    assert f"- 보성 녹차: {said}" in notice(any_rig)
    (operator,) = mails_to(any_rig, "operator@example.com")
    assert f"- 보성 녹차: {said}" in body(operator)
    assert f"보성 녹차: {words.EXCLUDED[reason]}" in logged(any_rig)[0]


def test_a_risen_price_drops_the_item_where_the_shop_holds_it(any_rig: Rig) -> None:
    any_rig.config(policy={"on_price_rise": "hold"})
    open_shop(any_rig)
    product(any_rig, 2, 9_000, product_name="보성 녹차")
    subscription(any_rig, delivery_on=D, items=(COFFEE, TEA))
    notify(any_rig)
    assert lines(any_rig) == [(1, None), (2, "price_risen")]
    assert "- 보성 녹차: 가격 인상에 동의하시기 전이라 제외" in notice(any_rig)


@pytest.mark.parametrize("columns", [{"sold_out": "T"}, {"stock_quantity": 0}])
def test_a_shop_may_charge_what_is_sold_out(any_rig: Rig, columns: dict[str, object]) -> None:
    any_rig.config(policy={"on_sold_out": "charge"})
    open_shop(any_rig)
    product(any_rig, 2, 8_000, **columns)
    subscription(any_rig, delivery_on=D, items=(COFFEE, TEA))
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 20_900


def test_stock_is_counted_over_all_lines_of_a_product(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, stock_quantity=3)
    twice = Item(product_no=2, price=8_000, quantity=2)
    subscription(any_rig, delivery_on=D, items=(COFFEE, twice, twice))
    notify(any_rig)
    assert [reason for _, reason in lines(any_rig)] == [None, "short_of_stock", "short_of_stock"]


def _hidden(rig: Rig) -> None:
    rig.shop("UPDATE product SET display = 'F', price = 99000")


def _not_sold(rig: Rig) -> None:
    rig.shop("UPDATE product SET selling = 'F', price = 99000")


def _deleted(rig: Rig) -> None:
    rig.shop("UPDATE product SET deleted_at = '2026-11-01 00:00:00', price = 99000")


def _row_gone(rig: Rig) -> None:
    rig.shop("DELETE FROM product")


@pytest.mark.parametrize("withdraw", [_hidden, _not_sold, _deleted, _row_gone])
def test_what_is_no_longer_sold_stays_in_at_the_price_applied_for(
    any_rig: Rig, withdraw: Callable[[Rig], None]
) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, items=(COFFEE,))
    withdraw(any_rig)
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == 12_900


def test_where_nothing_is_left_the_round_is_skipped_and_its_items_move_on(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, sold_out="T")
    subscription(any_rig, delivery_on=D, items=(TEA,))
    counts = notify(any_rig).counts
    assert (counts["skipped"], counts["sealed"], counts["messages_accepted"]) == (1, 0, 0)
    assert the_round(any_rig)["state"] == "skipped"
    stored = any_rig.shop(
        "SELECT expected_delivery_date AS next, subscription_shipments_sequence AS round_no "
        "FROM subscription_item"
    )
    assert stored == [{"next": date(2027, 1, 3), "round_no": 1}]
    assert "제외: 보성 녹차: 품절" in logged(any_rig)[0]


def test_a_skipped_round_lets_its_items_stand_in_the_next(any_rig: Rig) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, sold_out="T")
    subscription(any_rig, delivery_on=D, items=(TEA,))
    notify(any_rig)
    any_rig.shop("UPDATE product SET sold_out = 'F'")
    notify(any_rig, "2027-01-01T09:00")
    assert [one["state"] for one in rounds(any_rig)] == ["skipped", "due"]


def test_an_item_in_an_open_round_is_in_no_other(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, D_MINUS_2)
    assert notify(any_rig, "2026-12-02T09:00").counts["due"] == 0
    assert len(rounds(any_rig)) == 1
