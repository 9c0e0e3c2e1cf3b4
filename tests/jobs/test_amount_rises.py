"""Rule 5: that a price has risen is said to the customer and to the operator, whatever is charged."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.jobs.charging import charge
from tests.jobs.notices import D, body, logged, mails_to, notice, notify, rehearsed, rounds, the_round
from tests.ops.desk import rows
from tests.rig import Rig
from tests.shopkeeper import Item, consent, open_shop, product, subscription

pytestmark = pytest.mark.rule(5)

COFFEE = Item(1, 12_900, name="예가체프")
TEA = Item(2, 8_000, name="보성 녹차")

POLICIES = [
    pytest.param(
        "keep_old_price", 12_900, "이번 회차는 종전 가격 12,900원에 결제됩니다", id="keep_old_price"
    ),
    pytest.param("charge_new", 14_500, "이번 회차부터 14,500원에 결제됩니다", id="charge_new"),
]


def risen(rig: Rig, on_price_rise: str, **policy: Any) -> None:  # noqa: ANN401 any option
    """Put in a round of two items; the first is dearer now than agreed."""
    rig.config(policy={"on_price_rise": on_price_rise, **policy})
    open_shop(rig)
    product(rig, 1, 14_500)
    subscription(rig, "S-1", delivery_on=D, items=(COFFEE, TEA))


def to_operator(rig: Rig) -> str:
    (mail,) = mails_to(rig, "operator@example.com")
    return body(mail)


@pytest.mark.parametrize(("on_price_rise", "price", "said"), POLICIES)
def test_the_notice_names_both_prices_and_which_is_charged(
    any_rig: Rig, on_price_rise: str, price: int, said: str
) -> None:
    risen(any_rig, on_price_rise)
    notify(any_rig)
    assert the_round(any_rig)["amount_krw"] == price + 8_000
    assert "- 예가체프: 12,900원 → 14,500원" in notice(any_rig)
    assert said in notice(any_rig)
    assert f"- 예가체프: 동의한 가격 12,900원, 현재 가격 14,500원, 이번 회차 {price:,}원" in to_operator(
        any_rig
    )


@pytest.mark.parametrize(
    ("on_price_rise", "price"), [("keep_old_price", "12,900원"), ("charge_new", "14,500원")]
)
def test_the_log_the_rehearsal_and_the_round_shown_say_it_too(
    sqlite_rig: Rig, on_price_rise: str, price: str
) -> None:
    risen(sqlite_rig, on_price_rise)
    said = f"예가체프: 12,900원 → 14,500원, {price}에 결제"
    assert f"가격 인상[{said}]" in rehearsed(sqlite_rig, "notify_d2")
    notify(sqlite_rig)
    assert logged(sqlite_rig)[0].endswith(f"가격 인상: {said}")
    shown = rows(sqlite_rig, "show", "S-1", section="lines")
    assert [(line["product_name"], line["price_now"]) for line in shown] == [
        ("예가체프", 14_500),
        ("보성 녹차", 8_000),
    ]


def test_a_digest_counts_what_has_risen(sqlite_rig: Rig) -> None:
    risen(sqlite_rig, "keep_old_price", operator_mail="digest")
    notify(sqlite_rig)
    assert "20,900원 · 가격이 오른 상품 1개" in to_operator(sqlite_rig)


def test_a_rise_that_drops_the_item_is_said_as_the_reason_and_comes_in_with_the_consent(rig: Rig) -> None:
    risen(rig, "hold")
    notify(rig)
    assert the_round(rig)["amount_krw"] == 8_000
    assert "- 예가체프: 가격 인상에 동의하시기 전이라 제외" in notice(rig)
    assert "- 예가체프: 가격 인상에 고객 동의 없음" in to_operator(rig)
    assert "가격이 오른 상품" not in notice(rig) + to_operator(rig)
    assert "제외: 예가체프: 가격 인상" in logged(rig)[0]
    charge(rig)
    assert rig.shop("SELECT product_no FROM order_item") == [{"product_no": 2}]
    items = rig.shop("SELECT * FROM subscription_item ORDER BY subscription_item_id")
    assert [row["subscription_shipments_sequence"] for row in items] == [1, 2]
    consent(rig, items[0]["subscription_item_id"], 14_500, datetime(2026, 12, 20, 9))
    notify(rig, "2027-01-01T09:00")
    assert [(one["delivery_on"], one["amount_krw"]) for one in rounds(rig)] == [
        (D, 8_000),
        (date(2027, 1, 3), 22_500),
    ]


def test_where_every_item_is_held_back_the_round_is_skipped_until_a_consent(sqlite_rig: Rig) -> None:
    risen(sqlite_rig, "hold")
    product(sqlite_rig, 3, 9_000)
    sqlite_rig.shop("UPDATE subscription_item SET product_no = 3 WHERE product_no = 2")
    counts = notify(sqlite_rig).counts
    assert (counts["skipped"], counts["dropped_items"], counts["messages_accepted"]) == (1, 2, 0)


@pytest.mark.parametrize("price", [12_899, 12_900])
@pytest.mark.parametrize("on_price_rise", ["keep_old_price", "hold", "charge_new"])
def test_a_price_that_fell_or_stayed_is_charged_and_nothing_is_said(
    sqlite_rig: Rig, on_price_rise: str, price: int
) -> None:
    risen(sqlite_rig, on_price_rise)
    sqlite_rig.shop("UPDATE product SET price = :price WHERE product_no = 1", price=price)
    notify(sqlite_rig)
    assert the_round(sqlite_rig)["amount_krw"] == price + 8_000
    assert "오른 상품" not in notice(sqlite_rig) + to_operator(sqlite_rig)


def test_a_rise_that_was_consented_to_is_charged_and_nothing_is_said(sqlite_rig: Rig) -> None:
    risen(sqlite_rig, "keep_old_price")
    item_id = sqlite_rig.shop("SELECT MIN(subscription_item_id) AS id FROM subscription_item")[0]["id"]
    consent(sqlite_rig, item_id, 14_500, datetime(2026, 11, 20, 9))
    notify(sqlite_rig)
    assert the_round(sqlite_rig)["amount_krw"] == 22_500
    assert "오른 상품" not in notice(sqlite_rig)


def test_a_notice_sent_later_tells_the_rise_of_the_seal(sqlite_rig: Rig) -> None:
    risen(sqlite_rig, "keep_old_price")
    notify(sqlite_rig, "2026-12-01T22:00")
    sqlite_rig.shop("UPDATE product SET price = 99000")
    notify(sqlite_rig, "2026-12-02T09:00")
    assert "- 예가체프: 12,900원 → 14,500원" in notice(sqlite_rig)
