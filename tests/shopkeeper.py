"""Puts one exact subscription, and what it needs, into the shop's tables; the rest is as usual.

`open_shop(rig)` first, then `subscription(rig, "S-1", delivery_on=date(2026, 12, 3))`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from tests.rig import Rig

LONG_AGO = datetime(2026, 1, 1, 9)
Flag = Literal["T", "F"]


@dataclass(frozen=True)
class Item:
    """One line of an application; `delivery_on` and `start_date` are the subscription's where None."""

    product_no: int = 1
    price: int = 12_900
    quantity: int = 1
    cycle: str = "1M"
    option_price: int = 0
    option_value: str = ""
    name: str = "에티오피아 예가체프 200g"
    shipping: Literal["P", "F", "C"] = "P"
    round_no: int = 1
    max_rounds: int = 0
    state: str = "U"
    delivery_on: date | None = None
    start_date: date | None = None


item = Item


@dataclass(frozen=True)
class Subscribed:
    """The ids that the shop gave."""

    subscription_id: str
    item_ids: tuple[int, ...]
    card_id: int | None

    @property
    def item_id(self) -> int:
        (only,) = self.item_ids
        return only


def open_shop(rig: Rig, pg_code: str = "tosspayments") -> None:
    """Put in what every shop has: its row, a PG in use, credits, no shipping fee."""
    shop_row(rig)
    contract(rig, pg_code)
    service(rig, pg_code)
    credits(rig)
    shipping(rig)


def shop_row(rig: Rig, **columns: object) -> None:
    usual: dict[str, object] = {
        "shop_no": 1,
        "shop_name": "달빛커피",
        "operator_email": "operator@example.com",
        "sender_email": "no-reply@example.com",
        "sender_phone": "0215440000",
        "new_product_manager": "T",
        "homepage_url": "https://shop.example.com",
    }
    rig.put("shop", **usual | columns)


def contract(rig: Rig, pg_code: str = "tosspayments", **columns: object) -> int:
    """Put in a contract with a PG, in use; returns its number."""
    usual: dict[str, object] = {
        "pg_code": pg_code,
        "merchant_id": "simulated",
        "state": "in_use",
        "applied_at": LONG_AGO,
        "in_use_at": LONG_AGO,
    }
    return rig.put("pg_contract", **usual | columns)


def terminate_contract(
    rig: Rig, at: datetime, termination: str = "changed", pg_code: str = "tosspayments"
) -> None:
    """Do what the admin page does when a PG is changed, reset or renewed."""
    rig.shop(
        "UPDATE pg_contract SET state = 'terminated', terminated_at = :at, termination = :termination "
        "WHERE pg_code = :pg_code AND state = 'in_use'",
        at=at,
        termination=termination,
        pg_code=pg_code,
    )


def service(rig: Rig, pg_code: str = "tosspayments", **columns: object) -> None:
    usual: dict[str, object] = {
        "pg_code": pg_code,
        "state": "in_use",
        "applied_at": LONG_AGO,
        "in_use_at": LONG_AGO,
    }
    rig.put("subscription_service", **usual | columns)


def credits(rig: Rig, bulk_mail: int = 1_000, sms: int = 1_000) -> None:  # noqa: A001 the field's word
    """Set both balances, whatever they were."""
    rig.shop("DELETE FROM message_credit")
    rig.put("message_credit", channel="bulk_mail", balance=bulk_mail)
    rig.put("message_credit", channel="sms", balance=sms)
    rig.remember_credits()


def credits_left(rig: Rig) -> dict[str, int]:
    return {row["channel"]: row["balance"] for row in rig.shop("SELECT channel, balance FROM message_credit")}


def shipping(rig: Rig, base_fee: int = 0, free_over: int | None = None) -> None:
    """Set the shipping policy, whatever it was."""
    rig.shop("DELETE FROM shipping_policy")
    rig.put("shipping_policy", shop_no=1, base_fee=base_fee, free_over=free_over)


def region_fee(rig: Rig, zipcode_from: str, zipcode_to: str, extra_fee: int) -> None:
    rig.put("shipping_region_fee", zipcode_from=zipcode_from, zipcode_to=zipcode_to, extra_fee=extra_fee)


def mail_switch(rig: Rig, kind: str, customer: Flag = "T", operator: Flag = "T") -> None:
    rig.put("automail_setting", type_code=f"subscription_{kind}", use_customer=customer, use_admin=operator)


def sms_switch(rig: Rig, kind: str = "payment_notice", customer: Flag = "T") -> None:
    rig.put("automessage_setting", type_code=f"subscription_{kind}", use_customer=customer)


def product(rig: Rig, product_no: int = 1, price: int = 12_900, **columns: object) -> None:
    usual: dict[str, object] = {
        "product_no": product_no,
        "product_code": f"P{product_no:07d}",
        "product_name": "에티오피아 예가체프 200g",
        "price": price,
    }
    rig.put("product", **usual | columns)


def setting(
    rig: Rig,
    products: tuple[int, ...] = (1,),
    steps: dict[int, int] | None = None,
    setting_no: int = 1,
    **columns: object,
) -> None:
    """Put in a setting with its stepped discount ({from round: discount}) and its products."""
    usual: dict[str, object] = {
        "subscription_no": setting_no,
        "subscription_shipments_name": "원두 정기배송",
        "use_discount": "T" if steps else "F",
        "subscription_shipments_cycle": "1W,2W,4W,1M",
    }
    rig.put("subscription_setting", **usual | columns)
    for from_round, discount in (steps or {}).items():
        rig.put(
            "subscription_setting_discount",
            subscription_no=setting_no,
            delivery_cycle=from_round,
            discount_amount=discount,
        )
    for product_no in products:
        rig.put("subscription_setting_product", product_no=product_no, subscription_no=setting_no)


def member(rig: Rig, member_id: str = "haneul", **columns: object) -> None:
    usual: dict[str, object] = {
        "member_id": member_id,
        "name": "김하늘",
        "email": f"{member_id}@example.com",
        "cellphone": "010-2000-1234",
    }
    rig.put("member", **usual | columns)


def card(
    rig: Rig,
    member_id: str = "haneul",
    billing_key: str = "",
    pg_code: str = "tosspayments",
    **columns: object,
) -> int:
    """Store a card; its billing key is made up where none is given. Returns card_id."""
    taken = rig.shop("SELECT COUNT(*) AS number FROM card")[0]["number"]
    usual: dict[str, object] = {
        "member_id": member_id,
        "pg_code": pg_code,
        "billing_key": billing_key or f"bk-{member_id}-{taken + 1}=",
        "customer_key": f"customer-{member_id}",
        "card_company": "국민",
        "masked_number": f"4330-12**-****-{1001 + taken}",
        "registered_at": LONG_AGO + timedelta(days=1),
    }
    return rig.put("card", **usual | columns)


def consent(rig: Rig, item_id: int, unit_price: int, agreed_at: datetime) -> None:
    rig.put("price_consent", subscription_item_id=item_id, unit_price=unit_price, agreed_at=agreed_at)


def subscription(
    rig: Rig,
    subscription_id: str = "S-20261101-0000001",
    *,
    delivery_on: date,
    items: tuple[Item, ...] = (Item(),),
    member_id: str = "haneul",
    card_id: int | Literal["new"] | None = "new",
    **columns: object,
) -> Subscribed:
    """Put in one subscription due on a date; member, products and card are made where they are missing."""
    if not _has(rig, "member", "member_id", member_id):
        member(rig, member_id)
    main = card(rig, member_id) if card_id == "new" else card_id
    usual: dict[str, object] = {
        "subscription_id": subscription_id,
        "member_id": member_id,
        "pg_code": "tosspayments",
        "card_id": main,
        "buyer_name": "김하늘",
        "buyer_email": f"{member_id}@example.com",
        "buyer_cellphone": "010-2000-1234",
        "receiver_name": "박바다",
        "receiver_zipcode": "06236",
        "receiver_address1": "서울특별시 강남구 테헤란로 152",
        "receiver_cellphone": "010-2000-5678",
        "created_date": datetime.combine(delivery_on - timedelta(days=40), time(9)),
    }
    rig.put("subscription", **usual | columns)
    made = tuple(_put_item(rig, subscription_id, one, delivery_on) for one in items)
    return Subscribed(subscription_id, made, main)


def _put_item(rig: Rig, subscription_id: str, one: Item, subscription_due: date) -> int:
    if not _has(rig, "product", "product_no", one.product_no):
        product(rig, one.product_no, one.price, product_name=one.name)
    delivery_on = one.delivery_on or subscription_due
    return rig.put(
        "subscription_item",
        subscription_id=subscription_id,
        product_no=one.product_no,
        product_name=one.name,
        option_value=one.option_value,
        quantity=one.quantity,
        product_price=one.price,
        option_price=one.option_price,
        shipping_payment_option=one.shipping,
        subscription_shipments_cycle=one.cycle,
        start_date=one.start_date or delivery_on,
        subscription_shipments_sequence=one.round_no,
        max_delivery_limit=one.max_rounds,
        subscription_state=one.state,
        expected_delivery_date=delivery_on,
        expected_pay_date=delivery_on - timedelta(days=1),
    )


def _has(rig: Rig, table: str, key: str, value: object) -> bool:
    return bool(rig.shop(f"SELECT 1 FROM {table} WHERE {key} = :value", value=value))
