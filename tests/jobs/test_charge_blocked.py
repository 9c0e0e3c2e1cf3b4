"""charge_d1: what stands in the way of a charge is asked again by the statement that claims it."""

from __future__ import annotations

from datetime import datetime

import pytest

from lib.billing import words
from tests.jobs.charging import DELIVERY, announced, charge, charges, give_backup, matters, state
from tests.rig import Rig
from tests.shopkeeper import card, terminate_contract

OTHERS = {
    "member_id": "haneul",
    "buyer_name": "김하늘",
    "receiver_name": "박바다",
    "receiver_zipcode": "06236",
    "receiver_address1": "서울특별시 강남구 테헤란로 152",
    "receiver_cellphone": "010-2000-5678",
    "items_amount": 0,
    "discount_amount": 0,
    "shipping_fee": 0,
    "payment_amount": 0,
    "pg_code": "tosspayments",
    "paid_at": datetime(2026, 12, 1, 9),
}


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("pg_not_in_use", "UPDATE pg_contract SET state = 'applied'"),
        ("service_not_in_use", "UPDATE subscription_service SET state = 'stopped'"),
        ("shop_not_ready", "UPDATE shop SET new_product_manager = 'F'"),
        ("member_withdrawn", "UPDATE member SET withdrawn_at = '2026-12-01 12:00:00'"),
        ("no_card", "UPDATE subscription SET card_id = NULL"),
        ("no_card", "DELETE FROM card"),
        ("foreign_card", "UPDATE card SET member_id = 'somebody'"),
        ("before_first_delivery", "UPDATE subscription_item SET expected_delivery_date = '2025-12-31'"),
        ("no_address", "UPDATE subscription SET buyer_email = '-', buyer_cellphone = '-'"),
    ],
)
def test_a_blocked_round_waits_and_a_person_hears_of_it_once(rig: Rig, reason: str, change: str) -> None:
    announced(rig)
    rig.shop("UPDATE member SET email = '-', cellphone = '-'")
    rig.shop(change)
    ended = charge(rig, check=1)
    assert (state(rig), charges(rig), ended.counts["blocked"]) == ("due", 0, 1)
    assert (
        f"{DELIVERY} 회차를 결제하지 않음: {words.blocked(reason)}"
        in rig.ours("SELECT detail FROM matter")[0]["detail"]
    )
    charge(rig, "2026-12-02T10:05")


def test_a_card_of_an_ended_contract_is_not_charged(rig: Rig) -> None:
    announced(rig)
    terminate_contract(rig, at=datetime(2026, 12, 1, 12))
    rig.put(
        "pg_contract",
        pg_code="tosspayments",
        merchant_id="simulated",
        state="in_use",
        applied_at=datetime(2026, 12, 1, 13),
        in_use_at=datetime(2026, 12, 1, 13),
    )
    charge(rig, check=1)
    assert (state(rig), charges(rig)) == ("due", 0)


def test_a_backup_card_of_an_ended_contract_is_not_charged(rig: Rig) -> None:
    announced(rig, "REJECT_CARD_PAYMENT")
    give_backup(rig)
    rig.shop("UPDATE card SET member_id = 'somebody' WHERE billing_key = 'bk-backup'")
    charge(rig)
    assert (state(rig), charges(rig)) == ("due", 1)


@pytest.mark.parametrize(
    "order",
    [
        {"order_id": "HAND-1", "subscription_id": "S-1", "delivery_date": DELIVERY},
        {"order_id": "HAND-2", "subscription_id": "S-9", "delivery_date": DELIVERY},
    ],
)
def test_a_round_that_the_shop_has_an_order_for_is_not_charged(rig: Rig, order: dict[str, object]) -> None:
    given = announced(rig)
    rig.put("orders", **OTHERS, **order)
    rig.put(
        "order_item",
        order_id=order["order_id"],
        line_no=1,
        subscription_item_id=given.item_id,
        product_no=1,
        product_name="에티오피아",
        quantity=1,
        unit_price=12_900,
        amount=12_900,
    )
    charge(rig, check=1)
    assert (state(rig), charges(rig), matters(rig)) == ("due", 0, ["blocked"])


def test_a_round_is_charged_once_what_blocked_it_is_gone(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE subscription SET card_id = NULL")
    charge(rig, check=1)
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig))
    charge(rig, "2026-12-02T10:05")
    assert (state(rig), matters(rig)) == ("paid", [])


def test_an_open_reset_of_the_pg_stops_its_charges(rig: Rig) -> None:
    announced(rig)
    rig.ours(
        "INSERT INTO pg_reset (pg_contract_no, pg_code, event_at, event_local, state, reason, opened_by, "
        "opened_at) VALUES (1, 'tosspayments', '2025-01-01', '2025-01-01', 'open', '', 'test', '2026-12-01')"
    )
    ended = charge(rig, check=75)
    assert (state(rig), charges(rig)) == ("due", 0)
    assert "PG 초기화가 진행 중" in ended.stderr
