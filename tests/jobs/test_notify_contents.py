"""Rule 3: what is in a round, what is dropped from it and said to be, and when nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from lib.billing import words
from tests.jobs.notices import D_MINUS_2, D, body, logged, mails_to, notice, notify, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, subscription

pytestmark = pytest.mark.rule(3)

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
def test_a_paused_or_ended_subscription_has_no_round(sqlite_rig: Rig, state: str) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, subscription_state=state)
    assert notify(sqlite_rig).counts["due"] == 0
    assert rounds(sqlite_rig) == []


def test_items_of_two_dates_make_two_rounds(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    early = Item(product_no=2, price=8_000, delivery_on=date(2026, 12, 2))
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, early))
    notify(sqlite_rig)
    found = [(one["delivery_on"], one["amount_krw"]) for one in rounds(sqlite_rig)]
    assert found == [(date(2026, 12, 2), 8_000), (D, 12_900)]


def test_an_item_of_a_later_date_waits_for_its_own_round(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    later = Item(product_no=2, delivery_on=date(2026, 12, 4))
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, later))
    notify(sqlite_rig)
    assert lines(sqlite_rig) == [(1, None)]


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


def test_a_risen_price_drops_the_item_where_the_shop_holds_it(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"on_price_rise": "hold"})
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 9_000, product_name="보성 녹차")
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, TEA))
    notify(sqlite_rig)
    assert lines(sqlite_rig) == [(1, None), (2, "price_risen")]
    assert "- 보성 녹차: 가격 인상에 동의하시기 전이라 제외" in notice(sqlite_rig)


@pytest.mark.parametrize("columns", [{"sold_out": "T"}, {"stock_quantity": 0}])
def test_a_shop_may_charge_what_is_sold_out(sqlite_rig: Rig, columns: dict[str, object]) -> None:
    sqlite_rig.config(policy={"on_sold_out": "charge"})
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, **columns)
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, TEA))
    notify(sqlite_rig)
    assert the_round(sqlite_rig)["amount_krw"] == 20_900


@pytest.mark.parametrize(
    ("stock", "quantities", "reasons"),
    [
        pytest.param(3, (2, 2), ["short_of_stock", "short_of_stock"], id="one_piece_short"),
        pytest.param(4, (2, 2), [None, None], id="exactly_enough"),
        pytest.param(4, (1, 1, 3), ["short_of_stock"] * 3, id="three_lines"),
        pytest.param(-1, (1,), ["short_of_stock"], id="sold_below_nothing"),
    ],
)
def test_stock_is_counted_over_all_lines_of_a_product(
    sqlite_rig: Rig, stock: int, quantities: tuple[int, ...], reasons: list[str | None]
) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, stock_quantity=stock)
    teas = tuple(Item(product_no=2, price=8_000, quantity=quantity) for quantity in quantities)
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, *teas))
    notify(sqlite_rig)
    assert [reason for _, reason in lines(sqlite_rig)] == [None, *reasons]


def test_what_is_held_back_for_its_price_takes_no_stock_from_the_others(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"on_price_rise": "hold"})
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, stock_quantity=3)
    agreed = Item(product_no=2, price=8_000, quantity=2)
    subscription(sqlite_rig, delivery_on=D, items=(agreed, Item(product_no=2, price=7_000, quantity=2)))
    notify(sqlite_rig)
    assert lines(sqlite_rig) == [(2, None), (2, "price_risen")]


def test_one_round_takes_no_stock_from_another(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, stock_quantity=1)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=(TEA,))
    subscription(sqlite_rig, "S-2", delivery_on=D, items=(TEA,))
    notify(sqlite_rig)
    assert lines(sqlite_rig) == [(2, None), (2, None)]


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


def test_a_skipped_round_tells_nobody_costs_nothing_and_is_not_done_again(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, sold_out="T")
    subscription(sqlite_rig, delivery_on=D, items=(TEA,))
    notify(sqlite_rig)
    assert sqlite_rig.ours("SELECT * FROM message") == sqlite_rig.ours("SELECT * FROM credit_entry") == []
    before = sqlite_rig.checksums()
    assert notify(sqlite_rig, "2026-12-02T09:00").counts["due"] == 0
    assert sqlite_rig.checksums() == before


NEXT = (
    "SELECT expected_delivery_date AS next, subscription_shipments_sequence AS round_no "
    "FROM subscription_item ORDER BY subscription_item_id"
)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        pytest.param("2026-12-01T09:00", [date(2027, 1, 3), date(2026, 12, 10)], id="in_time"),
        pytest.param("2026-12-07T09:00", [date(2027, 1, 3), date(2026, 12, 17)], id="four_days_late"),
    ],
)
def test_items_dropped_for_different_reasons_leave_a_skipped_round_each_to_its_own_next_date(
    any_rig: Rig, as_of: str, expected: list[date]
) -> None:
    open_shop(any_rig)
    product(any_rig, 2, 8_000, sold_out="T")
    product(any_rig, 3, 8_000, product_type="B")
    items = (Item(product_no=2, round_no=4), Item(product_no=3, round_no=7, cycle="1W"))
    subscription(any_rig, delivery_on=D, items=items)
    notify(any_rig, as_of)
    assert (the_round(any_rig)["state"], the_round(any_rig)["round_no"]) == ("skipped", 7)
    found = [(str(row["next"]), row["round_no"]) for row in any_rig.shop(NEXT)]
    assert found == [(str(expected[0]), 4), (str(expected[1]), 7)]


def test_a_blocked_subscription_is_not_skipped_and_keeps_its_date(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, sold_out="T")
    subscription(sqlite_rig, delivery_on=D, items=(TEA,), card_id=None)
    assert notify(sqlite_rig, check=1).counts["skipped"] == 0
    assert [str(row["next"]) for row in sqlite_rig.shop(NEXT)] == [str(D)]


def test_only_what_may_be_charged_though_sold_out_keeps_a_round_from_being_skipped(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"on_sold_out": "charge"})
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, stock_quantity=0, sold_out="T")
    product(sqlite_rig, 3, 8_000, one_plus_n="T", sold_out="T")
    subscription(sqlite_rig, "S-1", delivery_on=D, items=(TEA, Item(product_no=3)))
    subscription(sqlite_rig, "S-2", delivery_on=D, items=(Item(product_no=3),))
    notify(sqlite_rig)
    assert [one["state"] for one in rounds(sqlite_rig)] == ["due", "skipped"]
    assert lines(sqlite_rig) == [(2, None), (3, "one_plus_n"), (3, "one_plus_n")]


def test_what_is_no_longer_shown_is_dropped_all_the_same_where_it_is_sold_out(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, display="F", sold_out="T")
    subscription(sqlite_rig, delivery_on=D, items=(COFFEE, TEA))
    notify(sqlite_rig)
    assert lines(sqlite_rig) == [(1, None), (2, "sold_out")]


def test_a_skipped_round_lets_its_items_stand_in_the_next(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 8_000, sold_out="T")
    subscription(sqlite_rig, delivery_on=D, items=(TEA,))
    notify(sqlite_rig)
    sqlite_rig.shop("UPDATE product SET sold_out = 'F'")
    notify(sqlite_rig, "2027-01-01T09:00")
    assert [one["state"] for one in rounds(sqlite_rig)] == ["skipped", "due"]


def test_an_item_in_an_open_round_is_in_no_other(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig, D_MINUS_2)
    assert notify(sqlite_rig, "2026-12-02T09:00").counts["due"] == 0
    assert len(rounds(sqlite_rig)) == 1
