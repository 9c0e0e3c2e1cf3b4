"""`ops report` on the rounds ahead: what was dropped, which prices rose, what is skipped."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql

from lib.report.ahead import ahead
from tests.jobs.notices import D, notify
from tests.ops.desk import ops, rows, text
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, subscription

pytestmark = pytest.mark.rule(3, 5)

DAY = timedelta(days=1)
AT = ("--as-of", "2026-12-01T10:00")
ROASTED, SOLD_OUT, RISEN = Item(), Item(product_no=2, name="원두 선물"), Item(product_no=3, name="오른 원두")
STATES = ("sealed", "due", "charging", "in_doubt", "held", "paid", "failed", "skipped", "void", "missed")


def report(rig: Rig, section: str) -> list[dict[str, Any]]:
    return rows(rig, "report", *AT, section=section)


@pytest.fixture
def shop(any_rig: Rig) -> Rig:
    """Four rounds on two days: two lack a sold-out product, two have a risen one, one has nothing left."""
    open_shop(any_rig)
    product(any_rig, 1)
    product(any_rig, 2, product_name="원두 선물", sold_out="T")
    product(any_rig, 3, price=15_000, product_name="오른 원두")
    subscription(any_rig, "S-1", delivery_on=D, items=(ROASTED, SOLD_OUT, RISEN))
    subscription(any_rig, "S-2", delivery_on=D - DAY, items=(ROASTED, SOLD_OUT, SOLD_OUT))
    subscription(any_rig, "S-3", delivery_on=D, items=(RISEN,))
    subscription(any_rig, "S-4", delivery_on=D, items=(SOLD_OUT,))
    notify(any_rig)
    return any_rig


def test_what_is_left_out_is_told_by_product_and_reason(shop: Rig) -> None:
    assert report(shop, "dropped") == [
        {
            "product_no": 2,
            "product_name": "원두 선물",
            "reason": "sold_out",
            "rounds": 3,
            "first_on": "2026-12-02",
            "subscription_id": "S-2",
        }
    ]


def test_a_risen_price_is_told_with_what_was_agreed_and_what_is_charged(shop: Rig) -> None:
    assert report(shop, "risen") == [
        {
            "product_no": 3,
            "product_name": "오른 원두",
            "agreed_price": 12_900,
            "price_now": 15_000,
            "charged_price": 12_900,
            "rounds": 2,
            "first_on": "2026-12-03",
            "subscription_id": "S-1",
        }
    ]


def test_the_rounds_that_are_skipped_are_told_by_their_day(shop: Rig) -> None:
    assert report(shop, "skipped") == [
        {"delivery_on": "2026-12-03", "rounds": 1, "subscription_id": "S-4"},
    ]


@pytest.mark.parametrize(
    ("policy", "charged", "dropped"),
    [
        ({"on_price_rise": "charge_new"}, [15_000], []),
        ({"on_price_rise": "hold"}, [], ["price_risen"]),
    ],
    ids=["charge_new", "hold"],
)
def test_a_rise_is_told_under_what_the_shop_chose_to_do_about_it(
    sqlite_rig: Rig, policy: dict[str, str], charged: list[int], dropped: list[str]
) -> None:
    sqlite_rig.config(policy=policy)
    open_shop(sqlite_rig)
    product(sqlite_rig, 3, price=15_000)
    subscription(sqlite_rig, delivery_on=D, items=(RISEN,))
    notify(sqlite_rig)
    assert [row["charged_price"] for row in report(sqlite_rig, "risen")] == charged
    assert [row["reason"] for row in report(sqlite_rig, "dropped")] == dropped


@pytest.mark.parametrize("state", STATES)
def test_a_round_that_is_void_or_missed_is_told_no_more(shop: Rig, state: str) -> None:
    shop.ours(
        "UPDATE billing_round SET state = :state, paid_at = sealed_at WHERE subscription_id = 'S-2'",
        state=state,
    )
    (row,) = next(iter(ahead(shop.store(), D - DAY))).rows
    assert row["rounds"] == (2 if state in {"void", "missed"} else 3)
    shop.ours("DELETE FROM billing_round WHERE subscription_id = 'S-2'")


@pytest.mark.parametrize(
    ("today", "dropped", "risen", "skipped"),
    [(D - DAY, [3], [2], [1]), (D, [2], [2], [1]), (D + DAY, [], [], [])],
    ids=["on the first day", "on the second", "after both"],
)
def test_a_round_is_told_up_to_the_day_of_its_delivery(
    shop: Rig, today: date, dropped: list[int], risen: list[int], skipped: list[int]
) -> None:
    found = [[row["rounds"] for row in section.rows] for section in ahead(shop.store(), today)]
    assert found == [dropped, risen, skipped]


def test_a_person_reads_it_in_words(shop: Rig) -> None:
    said = text(shop, "report", *AT)
    for part in ("제외 상품", "원두 선물", "품절", "동의한 가격", "12,900원", "15,000원", "건너뛴 회차"):
        assert part in said


def test_the_doubts_come_without_it(shop: Rig) -> None:
    assert set(ops(shop, "report", "--doubts").summary) == {"attempts", "rounds", "messages"}


@pytest.mark.parametrize("name", ["dropped_ahead", "risen_ahead", "skipped_ahead"])
def test_years_of_history_are_not_read_for_it(rig: Rig, name: str) -> None:
    rig.ours(
        "INSERT INTO billing_round (subscription_id, delivery_on, round_no, items_amount, discount_amount,"
        " shipping_fee, amount_krw, state, pg_code, sealed_at, paid_at)"
        " SELECT CONCAT('S-', seq), DATE '2020-01-01' + INTERVAL MOD(seq, 2000) DAY, 1, 0, 0, 0, 0, 'paid',"
        " 'x', '2020-01-01', '2020-01-01' FROM seq_1_to_2000"
    )
    rig.ours(
        "INSERT INTO billing_round_item (round_id, item_id, round_no, product_no, variants_code,"
        " product_name, option_value, quantity, unit_price, agreed_price, price_now, discount_amount, amount,"
        " released_at) SELECT round_id, round_id, 1, 1, '', '', '', 1, 0, 0, 0, 0, 0, sealed_at"
        " FROM billing_round"
    )
    statement = rig.store().fit(rig.store().statements[name].sql)
    with rig.home.ours.connect() as connection:
        plan = [*connection.execute(sql(f"EXPLAIN {statement}"), {"today": D}).mappings()]
    assert plan[0]["key"] == "billing_round_day"
    assert all(row["type"] in {"range", "ref"} and int(row["rows"]) < 100 for row in plan)
