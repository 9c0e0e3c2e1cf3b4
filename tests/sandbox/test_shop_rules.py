"""A generated shop keeps to the storefront's rules: dates, rounds, cards, orders and their sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from lib.billing.calendar import Cycle, cycle_date
from lib.sandbox.shops import Recipe, load
from tests.sandbox.generated import FIRST_DAY, RECIPE, Tables, empty_file, tables_of


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(RECIPE)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with empty_file(tmp_path_factory.mktemp("shop")) as connection:
        load(connection, RECIPE)
        yield connection


LIVE = {"U", "B", "Q"}


def test_live_items_are_due_from_the_first_day_on(tables: Tables) -> None:
    due = {
        row["expected_delivery_date"]
        for row in tables["subscription_item"]
        if row["subscription_state"] in LIVE
    }
    assert min(due, key=str) == FIRST_DAY
    assert max(due, key=str) == FIRST_DAY + timedelta(days=29 + 5)  # put off by the customer


def test_every_item_of_a_live_application_can_be_due_on_one_day() -> None:
    on = date(2027, 1, 31)
    tables = tables_of(Recipe(first_day=FIRST_DAY, all_due_on=on))
    live = [row for row in tables["subscription_item"] if row["subscription_state"] in LIVE]
    assert {row["expected_delivery_date"] for row in live} == {on}
    assert len({row["subscription_shipments_cycle"] for row in live}) == 11


def test_an_item_is_paid_the_day_before_its_delivery(tables: Tables) -> None:
    for row in tables["subscription_item"]:
        delivery_on = row["expected_delivery_date"]
        assert isinstance(delivery_on, date)
        assert row["expected_pay_date"] == delivery_on - timedelta(days=1)


def test_the_first_round_is_on_the_start_date_unless_the_customer_put_it_off() -> None:
    tables = tables_of(Recipe(first_day=FIRST_DAY, moved_date=0))
    first = [row for row in tables["subscription_item"] if row["subscription_shipments_sequence"] == 1]
    assert first
    assert all(row["start_date"] == row["expected_delivery_date"] for row in first)


def test_past_rounds_were_delivered_on_the_cycle_and_before_the_next_date(tables: Tables) -> None:
    items = {row["subscription_item_id"]: row for row in tables["subscription_item"]}
    orders = {row["order_id"]: row for row in tables["orders"]}
    for line in tables["order_item"]:
        if line["sequence"] is None:
            continue
        item, order = items[line["subscription_item_id"]], orders[line["order_id"]]
        cycle = Cycle.parse(str(item["subscription_shipments_cycle"]))
        start, round_no = item["start_date"], line["sequence"]
        assert isinstance(start, date)
        assert isinstance(round_no, int)
        assert order["delivery_date"] == cycle_date(start, cycle, round_no - 1)
        assert str(order["delivery_date"]) < str(item["expected_delivery_date"])
        assert line["quantity"] == item["quantity"]


def test_the_last_past_round_is_the_one_before_the_next(database: Connection) -> None:
    wrong = """
        SELECT i.subscription_item_id FROM subscription_item i
        JOIN order_item l ON l.subscription_item_id = i.subscription_item_id
        GROUP BY i.subscription_item_id
        HAVING MAX(l.sequence) <> i.subscription_shipments_sequence - 1"""
    assert database.execute(text(wrong)).all() == []


def test_an_order_adds_up(database: Connection) -> None:
    wrong = """
        SELECT o.order_id FROM orders o JOIN order_item l ON l.order_id = o.order_id
        GROUP BY o.order_id
        HAVING payment_amount <> items_amount - discount_amount + shipping_fee
            OR SUM(l.amount) <> items_amount - discount_amount
            OR SUM(l.unit_price * l.quantity) <> items_amount"""
    assert database.execute(text(wrong)).all() == []


def test_nothing_in_the_shop_is_later_than_three_days_before_the_first_delivery(tables: Tables) -> None:
    moments = [
        value for rows in tables.values() for row in rows for value in row.values() if type(value) is datetime
    ]
    assert max(moments).date() == FIRST_DAY - timedelta(days=3)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(
            "SELECT 1 FROM subscription s JOIN card c ON c.card_id IN (s.card_id, s.backup_card_id)"
            " WHERE c.member_id <> s.member_id OR c.pg_code <> s.pg_code",
            id="charged to somebody else's card or through another PG",
        ),
        pytest.param("SELECT 1 FROM subscription WHERE card_id = backup_card_id", id="its own backup"),
        pytest.param(
            "SELECT 1 FROM card c JOIN pg_contract p ON p.pg_code = c.pg_code"
            " WHERE c.registered_at < p.in_use_at",
            id="a card older than its contract",
        ),
        pytest.param(
            "SELECT 1 FROM subscription s JOIN subscription_item i ON i.subscription_id = s.subscription_id"
            " WHERE s.created_date >= i.start_date OR i.terminated_date <= s.created_date",
            id="applied for after it began or ended",
        ),
        pytest.param(
            "SELECT 1 FROM subscription s JOIN orders o ON o.subscription_id = s.subscription_id"
            " WHERE o.paid_at <= s.created_date OR o.paid_at >= s.terminated_date",
            id="an order before the application or after its end",
        ),
        pytest.param(
            "SELECT 1 FROM subscription s JOIN subscription_item i ON i.subscription_id = s.subscription_id"
            " WHERE s.subscription_state = 'C' AND i.subscription_state IN ('U', 'B', 'Q')"
            " OR s.subscription_state = 'P' AND i.subscription_state = 'U'",
            id="items that outlive their application",
        ),
        pytest.param(
            "SELECT 1 FROM subscription_item"
            " WHERE (terminated_date IS NULL) = (subscription_state IN ('M', 'A', 'O'))",
            id="ended without a date, or dated without an end",
        ),
        pytest.param(
            "SELECT 1 FROM subscription_item WHERE max_delivery_limit NOT IN (0, 2, 3, 4, 6, 8, 10, 12)"
            " OR max_delivery_limit > 0 AND subscription_state <> 'A'"
            " AND subscription_shipments_sequence > max_delivery_limit",
            id="more rounds than its limit",
        ),
        pytest.param("SELECT 1 FROM product WHERE price % 100 <> 0", id="a price not in steps of 100 won"),
        pytest.param(
            "SELECT 1 FROM subscription_item WHERE product_price + option_price <= 0", id="a free item"
        ),
    ],
)
def test_a_shop_never_has(database: Connection, wrong: str) -> None:
    assert database.execute(text(wrong)).all() == []
