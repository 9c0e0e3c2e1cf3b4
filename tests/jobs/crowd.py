"""Many subscriptions due on one day, put in at once; nobody is told, so that only the charges take time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import column, insert, table

from tests.jobs.charging import DELIVERY, NOTICE_AT
from tests.rig import Rig
from tests.shopkeeper import LONG_AGO, mail_switch, member, open_shop, product, sms_switch


def crowd(rig: Rig, size: int, delivery_on: date = DELIVERY) -> None:
    """Open a shop with `size` subscriptions of a card each, and seal their rounds without a notice."""
    open_shop(rig)
    mail_switch(rig, "payment_notice", "F", "F")
    sms_switch(rig, customer="F")
    member(rig)
    product(rig, stock_quantity=size)
    numbers = range(1, size + 1)
    _put(rig, "card", [_card(number) for number in numbers])
    _put(rig, "subscription", [_subscription(number) for number in numbers])
    _put(rig, "subscription_item", [_item(number, delivery_on) for number in numbers])
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def _put(rig: Rig, name: str, rows: list[dict[str, Any]]) -> None:
    with rig.home.shop.begin() as connection:
        connection.execute(insert(table(name, *(column(key) for key in rows[0]))), rows)


def _card(number: int) -> dict[str, Any]:
    return {
        "card_id": number,
        "member_id": "haneul",
        "pg_code": "tosspayments",
        "billing_key": f"bk-{number}",
        "customer_key": "customer-haneul",
        "card_company": "국민",
        "masked_number": f"4330-12**-****-{number:04d}",
        "registered_at": LONG_AGO,
    }


def _subscription(number: int) -> dict[str, Any]:
    return {
        "subscription_id": f"S-{number:04d}",
        "member_id": "haneul",
        "pg_code": "tosspayments",
        "card_id": number,
        "buyer_name": "김하늘",
        "buyer_email": "haneul@example.com",
        "buyer_cellphone": "010-2000-1234",
        "receiver_name": "박바다",
        "receiver_zipcode": "06236",
        "receiver_address1": "서울특별시 강남구 테헤란로 152",
        "receiver_cellphone": "010-2000-5678",
        "created_date": datetime(2026, 10, 1, 9),
    }


def _item(number: int, delivery_on: date) -> dict[str, Any]:
    return {
        "subscription_id": f"S-{number:04d}",
        "product_no": 1,
        "product_name": "에티오피아 예가체프 200g",
        "quantity": 1,
        "product_price": 12_900,
        "subscription_shipments_cycle": "1M",
        "start_date": delivery_on,
        "expected_delivery_date": delivery_on,
        "expected_pay_date": delivery_on - timedelta(days=1),
    }


def states(rig: Rig) -> dict[str, int]:
    """Return how many rounds are in which state."""
    rows = rig.ours("SELECT state, COUNT(*) AS rounds FROM billing_round GROUP BY state")
    return {row["state"]: row["rounds"] for row in rows}


def book_equals_ledger(rig: Rig) -> bool:
    """Hold the simulated gateway's book against `payment`: the same approvals, an order number once."""
    booked = sorted((each.payment_key, each.order_no, each.amount) for each in rig.sandbox.toss.approvals())
    rows = rig.ours("SELECT tid, order_no, amount_krw FROM payment ORDER BY tid")
    ledger = [(row["tid"], row["order_no"], row["amount_krw"]) for row in rows]
    return booked == ledger and len({order_no for _, order_no, _ in ledger}) == len(ledger)
