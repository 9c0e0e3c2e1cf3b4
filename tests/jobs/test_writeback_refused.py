"""charge_d1: an order that the shop's own tables refuse stops no other, and is written once they take it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.jobs.charging import NOTICE_AT, charge, matters
from tests.jobs.street import neighbour
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product

pytestmark = pytest.mark.rule(11, 14)

SCARCE = 9
TRIGGER = """CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW BEGIN
  IF NEW.subscription_id = 'trigger' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF; END"""
TABLES = (
    "ALTER TABLE product ADD CONSTRAINT in_stock CHECK (stock_quantity >= 0)",
    "ALTER TABLE orders MODIFY receiver_name VARCHAR(5) NOT NULL",
    "ALTER TABLE subscription MODIFY receiver_address1 VARCHAR(250) NULL",
    TRIGGER,
)
ROWS = (
    "UPDATE subscription SET receiver_name = '황금독수리온세상을놀라게하다' WHERE subscription_id = 'long'",
    "UPDATE subscription SET receiver_address1 = NULL WHERE subscription_id = 'null'",
    "UPDATE product SET stock_quantity = 0 WHERE product_no = 9",
)
MENDED = (
    "DROP TRIGGER refuse",
    "ALTER TABLE product DROP CONSTRAINT in_stock",
    "UPDATE subscription SET receiver_name = '박바다' WHERE subscription_id = 'long'",
    "UPDATE subscription SET receiver_address1 = '서울' WHERE subscription_id = 'null'",
)
REFUSED = ["check", "long", "null", "trigger"]


def _written(rig: Rig) -> list[str]:
    rows = rig.shop("SELECT subscription_id FROM orders ORDER BY subscription_id")
    return [row["subscription_id"] for row in rows]


def _change(rig: Rig, *statements: str) -> None:
    with rig.home.shop.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def shop(bare_rig: Rig) -> Rig:
    """Announce rounds to a shop whose tables have rules of their own."""
    bare_rig.home.install()
    open_shop(bare_rig)
    product(bare_rig, SCARCE, stock_quantity=5)
    _change(bare_rig, *TABLES)
    for name in ("good", *REFUSED):
        neighbour(bare_rig, name, items=(Item(product_no=SCARCE if name == "check" else 1),))
    bare_rig.run("notify_d2", "--as-of", NOTICE_AT)
    _change(bare_rig, *ROWS)
    return bare_rig


def test_an_order_that_the_shop_refuses_stops_no_other_and_is_written_once_it_may(shop: Rig) -> None:
    ended = charge(shop, check=1)
    assert (ended.counts["paid"], ended.counts["written"], _written(shop)) == (5, 1, ["good"])
    assert matters(shop) == ["bad_row"] * len(REFUSED)
    shop.run("notify_d2", "--as-of", "2026-12-02T10:30")
    charge(shop, "2026-12-02T11:00")
    _change(shop, *MENDED)
    ended = charge(shop, "2026-12-02T12:00")
    assert (ended.counts["written"], _written(shop), matters(shop)) == (4, sorted([*REFUSED, "good"]), [])
    assert (len(shop.sandbox.toss.approvals()), shop.invariants()) == (5, [])
