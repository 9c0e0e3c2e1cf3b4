"""A generated shop has every kind of application, product and trouble that the jobs must bear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from lib.sandbox.shops import Recipe, load
from tests.sandbox.generated import FIRST_DAY, RECIPE, empty_file, tables_of


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with empty_file(tmp_path_factory.mktemp("shop")) as connection:
        load(connection, RECIPE)
        yield connection


KINDS = {
    "several items": "SELECT 1 FROM subscription_item GROUP BY subscription_id HAVING COUNT(*) > 2",
    "items on different dates": "SELECT 1 FROM subscription_item GROUP BY subscription_id"
    " HAVING MIN(expected_delivery_date) < MAX(expected_delivery_date)",
    "several applications of one member": "SELECT 1 FROM subscription GROUP BY member_id HAVING COUNT(*) > 1",
    "one card for several applications": "SELECT 1 FROM subscription GROUP BY card_id"
    " HAVING COUNT(*) > 1 AND card_id IS NOT NULL",
    "a backup card": "SELECT 1 FROM subscription WHERE backup_card_id IS NOT NULL",
    "a live application without a card": "SELECT 1 FROM subscription"
    " WHERE card_id IS NULL AND subscription_state = 'U'",
    "paused by the buyer": "SELECT 1 FROM subscription_item WHERE subscription_state = 'B'",
    "paused by the admin": "SELECT 1 FROM subscription_item WHERE subscription_state = 'Q'",
    "cancelled by the member": "SELECT 1 FROM subscription_item WHERE subscription_state = 'M'",
    "cancelled by the admin": "SELECT 1 FROM subscription_item WHERE subscription_state = 'O'",
    "finished": "SELECT 1 FROM subscription WHERE terminated_reason = 'count_finished'",
    "in its last round": "SELECT 1 FROM subscription_item"
    " WHERE max_delivery_limit = subscription_shipments_sequence AND subscription_state = 'U'",
    "partly cancelled": "SELECT 1 FROM subscription s JOIN subscription_item i"
    " ON i.subscription_id = s.subscription_id"
    " WHERE s.subscription_state = 'U' AND i.subscription_state IN ('M', 'O')",
    "put off": "SELECT 1 FROM subscription_item"
    " WHERE subscription_shipments_sequence = 1 AND start_date < expected_delivery_date",
    "collect on delivery": "SELECT 1 FROM subscription_item WHERE shipping_payment_option = 'C'",
    "free delivery": "SELECT 1 FROM subscription_item WHERE shipping_payment_option = 'F'",
    "Jeju": "SELECT 1 FROM subscription WHERE receiver_zipcode BETWEEN '63000' AND '63644'",
    "Ulleung": "SELECT 1 FROM subscription WHERE receiver_zipcode BETWEEN '40200' AND '40240'",
    "percent discount in steps": "SELECT 1 FROM subscription_setting s JOIN subscription_setting_discount d"
    " ON d.subscription_no = s.subscription_no WHERE s.discount_value_unit = 'P' AND d.delivery_cycle > 1",
    "won per piece": "SELECT 1 FROM subscription_setting"
    " WHERE discount_value_unit = 'W' AND related_purchase_quantity = 'T'",
    "won per line": "SELECT 1 FROM subscription_setting"
    " WHERE discount_value_unit = 'W' AND related_purchase_quantity = 'F'",
    "a threshold": "SELECT 1 FROM subscription_setting WHERE use_order_price_condition = 'T'",
    "a setting without discount": "SELECT 1 FROM subscription_setting WHERE use_discount = 'F'",
    "a region fee waived": "SELECT 1 FROM subscription_setting WHERE include_regional_shipping_rate = 'T'",
    "a product without setting": "SELECT 1 FROM subscription_item i LEFT JOIN subscription_setting_product p"
    " ON p.product_no = i.product_no WHERE p.product_no IS NULL",
    "sold out": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.sold_out = 'T'",
    "short of stock": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.sold_out = 'F' AND p.stock_quantity < i.quantity",
    "a set product": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.product_type = 'B'",
    "a 1+N event": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.one_plus_n = 'T'",
    "a deleted product": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.deleted_at IS NOT NULL",
    "a fallen price": "SELECT 1 FROM subscription_item i JOIN product p ON p.product_no = i.product_no"
    " WHERE p.price < i.product_price",
    "a risen price without consent": "SELECT 1 FROM subscription_item i JOIN product p"
    " ON p.product_no = i.product_no LEFT JOIN price_consent c"
    " ON c.subscription_item_id = i.subscription_item_id"
    " WHERE p.price > i.product_price AND c.agreed_at IS NULL",
    "a risen price with consent": "SELECT 1 FROM subscription_item i JOIN product p"
    " ON p.product_no = i.product_no JOIN price_consent c"
    " ON c.subscription_item_id = i.subscription_item_id AND c.unit_price = p.price + i.option_price"
    " WHERE p.price > i.product_price",
    "a withdrawn member": "SELECT 1 FROM member WHERE withdrawn_at IS NOT NULL",
    "a member without e-mail": "SELECT 1 FROM member WHERE email = '' AND cellphone LIKE '%10%'",
    "a mail address only on the member": "SELECT 1 FROM subscription s JOIN member m"
    " ON m.member_id = s.member_id WHERE s.buyer_email = '' AND m.email <> ''",
    "a landline": "SELECT 1 FROM subscription WHERE buyer_cellphone LIKE '02-%' AND buyer_email <> ''",
    "nobody to reach": "SELECT 1 FROM subscription WHERE buyer_cellphone LIKE '02-%' AND buyer_email = ''",
    "an apostrophe": "SELECT 1 FROM member WHERE name LIKE '%''%'",
    "a quotation mark": "SELECT 1 FROM member WHERE name LIKE '%\"%'",
    "angle brackets": "SELECT 1 FROM member WHERE name LIKE '%<b>%'",
    "an emoji": "SELECT 1 FROM member WHERE name LIKE '%🐶%'",
    "a template's braces": "SELECT 1 FROM member WHERE name LIKE '%{{%'",
    "a line break": "SELECT 1 FROM member WHERE name LIKE '%' || CHAR(10) || '%'",
    "a zip code in brackets": "SELECT 1 FROM subscription WHERE receiver_zipcode LIKE '(%'",
    "a one-time purchase": "SELECT 1 FROM orders WHERE subscription_id IS NULL",
    "a discounted past order": "SELECT 1 FROM orders WHERE discount_amount > 0",
    "the second PG": "SELECT 1 FROM subscription WHERE pg_code = 'nicepay'",
}


@pytest.mark.parametrize("query", KINDS.values(), ids=KINDS)
def test_a_shop_has(database: Connection, query: str) -> None:
    assert database.execute(text(query)).first() is not None


PLAIN = Recipe(first_day=FIRST_DAY, subscriptions=1200, second_pg_code="nicepay").without_trouble()


@pytest.mark.parametrize(
    ("name", "is_trouble"),
    [
        ("subscription", lambda row: row["subscription_state"] != "U" or row["card_id"] is None),
        ("subscription_item", lambda row: row["subscription_state"] != "U" or row["product_no"] > 900),
        ("member", lambda row: row["withdrawn_at"] or not row["email"] or not row["cellphone"]),
        ("price_consent", lambda _: True),
    ],
)
def test_a_shop_without_trouble_has_none_of_it(
    name: str, is_trouble: Callable[[dict[str, Any]], object]
) -> None:
    assert [row for row in tables_of(PLAIN)[name] if is_trouble(row)] == []
