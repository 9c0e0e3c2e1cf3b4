"""Rule 14: one bad row never stops a run; it is told once and the others are announced."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.jobs.notices import D_MINUS_1, D, notify, open_matters, rounds
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, subscription

pytestmark = pytest.mark.rule(14)

BAD, GOOD = "S-BAD", "S-GOOD"
MINE = "WHERE subscription_id = 'S-BAD'"


def two(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, BAD, delivery_on=D, items=(Item(product_no=2, price=10_000),))
    subscription(rig, GOOD, delivery_on=D)


def assert_only_the_good_one_is_announced(rig: Rig) -> None:
    assert notify(rig, check=1).counts["sealed"] == 1
    assert [(one["subscription_id"], one["state"]) for one in rounds(rig)] == [(GOOD, "due")]
    assert open_matters(rig) == [("bad_row", BAD)]
    notify(rig, D_MINUS_1)


@pytest.mark.parametrize("column", ["start_date", "expected_delivery_date"])
def test_a_date_of_zeros_stops_nobody_else(rig: Rig, column: str) -> None:
    two(rig)
    subscription(rig, "S-MORE", delivery_on=D, items=(Item(), Item()))
    rig.shop("DELETE FROM subscription_item WHERE subscription_id = 'S-BAD'")
    with rig.home.shop.connect() as connection:
        connection.execute(text("SET SESSION sql_mode = ''"))
        connection.execute(
            text(
                f"UPDATE subscription_item SET {column} = '0000-00-00' "
                "WHERE subscription_id = 'S-MORE' ORDER BY subscription_item_id LIMIT 1"
            )
        )
        connection.commit()
        connection.invalidate()  # its mode must not return to the pool
    assert notify(rig, check=1).counts["sealed"] == 1
    assert open_matters(rig) == [("bad_row", "S-MORE")]


def test_a_number_written_in_another_way_stops_nobody_else(rig: Rig) -> None:
    two(rig)
    rig.shop("UPDATE subscription_item SET subscription_id = 's-bad' WHERE subscription_id = 'S-BAD'")
    assert notify(rig, check=1).counts["sealed"] == 1
    assert open_matters(rig) == [("bad_row", "s-bad")]


def test_a_bad_row_that_was_corrected_is_sealed_and_told_no_more(any_rig: Rig) -> None:
    two(any_rig)
    any_rig.shop(f"UPDATE subscription_item SET quantity = 0 {MINE}")
    notify(any_rig, check=1)
    any_rig.shop("UPDATE subscription_item SET quantity = 1")
    assert notify(any_rig, D_MINUS_1).counts["sealed"] == 1
    assert open_matters(any_rig) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("MODIFY product_name VARCHAR(10) NOT NULL", id="too_long"),
        pytest.param("ADD CHECK (product_name <> '아주 긴 이름의 상품')", id="check"),
    ],
)
def test_a_row_the_database_refuses_stops_nobody_else(bare_rig: Rig, change: str) -> None:
    bare_rig.home.install()
    open_shop(bare_rig)
    subscription(bare_rig, BAD, delivery_on=D, items=(Item(product_no=2, name="아주 긴 이름의 상품"),))
    subscription(bare_rig, GOOD, delivery_on=D, items=(Item(name="커피"),))
    bare_rig.ours(f"ALTER TABLE billing_round_item {change}")
    assert_only_the_good_one_is_announced(bare_rig)


def test_a_message_the_database_refuses_stops_no_other(rig: Rig) -> None:
    rig.config(policy={"lms_units": 3_000_000_000})
    open_shop(rig)
    rig.shop("UPDATE shop SET shop_name = '아주 긴 이름을 가진 달빛 원두 커피 로스터스 서울 강남 본점 직영'")
    subscription(rig, GOOD, delivery_on=D)
    counts = notify(rig, check=1).counts
    assert counts["messages_accepted"] == 2
    (message,) = rig.ours("SELECT message_id, state FROM message WHERE channel = 'sms'")
    assert message["state"] == "queued"
    assert open_matters(rig) == [("unsendable", f"message {message['message_id']}")]
    notify(rig, "2026-12-01T11:00")
    rig.config()
    notify(rig, "2026-12-01T13:00")
    assert open_matters(rig) == []
    assert {row["state"] for row in rig.ours("SELECT state FROM message")} == {"accepted"}
