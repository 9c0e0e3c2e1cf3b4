"""The town as rows of the shop's tables: what the mirror writes, and what the comparison expects to find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from tests.town import PG, Card, Item, Kind, Order, Product, Setting, Subscription, Town

Row = dict[str, object]
Key = tuple[object, ...]
Tables = dict[str, dict[Key, Row]]

LONG_AGO = datetime(2025, 1, 1, 9)
SHORT_NAME = "달빛커피"
LONG_NAME = "아주 긴 이름을 가진 달빛 원두 커피 로스터스 서울 강남 본점 직영 온라인 쇼핑몰"
"""Long enough for the notice's text to pass 90 bytes."""
CHARGE_KINDS: tuple[Kind, ...] = ("payment_notice", "payment_declined", "payment_failed", "auto_cancel")

KEYS: Mapping[str, tuple[str, ...]] = {
    "shop": ("shop_no",),
    "pg_contract": ("pg_contract_no",),
    "subscription_service": ("pg_code",),
    "automail_setting": ("type_code",),
    "automessage_setting": ("type_code",),
    "message_credit": ("channel",),
    "member": ("member_id",),
    "product": ("product_no",),
    "subscription_setting": ("subscription_no",),
    "subscription_setting_discount": ("subscription_no", "delivery_cycle"),
    "subscription_setting_product": ("product_no",),
    "shipping_policy": ("shop_no",),
    "shipping_region_fee": ("zipcode_from",),
    "card": ("card_id",),
    "subscription": ("subscription_id",),
    "subscription_item": ("subscription_item_id",),
    "price_consent": ("subscription_item_id", "agreed_at"),
}
"""Every table that a page of the shop changes, and its key; orders are only ever added."""


def shop_name(town: Town) -> str:
    return LONG_NAME if town.is_long_sms else SHORT_NAME


def billing_key(card_id: int) -> str:
    return f"bk-{card_id}="


def tables(town: Town) -> Tables:
    """Return the whole shop but its orders: the columns that the town knows of, by table and key."""
    found: Tables = {name: {} for name in KEYS}
    for name, row in _rows(town):
        found[name][tuple(row[column] for column in KEYS[name])] = row
    return found


def _rows(town: Town) -> Iterator[tuple[str, Row]]:
    yield from _settings_of_the_shop(town)
    for product in town.products.values():
        yield "product", _product(product)
    for setting in town.settings:
        yield from _setting(setting)
    for member in town.members.values():
        withdrawn_at = LONG_AGO if member.withdrawn else None
        addresses = {"email": member.email, "cellphone": member.cellphone}
        yield "member", {"member_id": member.member_id, "withdrawn_at": withdrawn_at, **addresses}
    for card in town.cards.values():
        yield "card", _card(card)
    for subscription in town.subscriptions.values():
        yield "subscription", _subscription(subscription)
        for item in subscription.items:
            yield "subscription_item", _item(subscription.subscription_id, item)
            for consent in item.consents:
                key = {"subscription_item_id": item.item_id, "agreed_at": consent.agreed_at}
                yield "price_consent", {**key, "unit_price": consent.unit_price}


def _settings_of_the_shop(town: Town) -> Iterator[tuple[str, Row]]:
    name = shop_name(town)
    yield "shop", {"shop_no": 1, "shop_name": name, "new_product_manager": _flag(town.is_ready)}
    for contract in town.contracts:
        yield (
            "pg_contract",
            {
                "pg_contract_no": contract.contract_no,
                "pg_code": contract.pg_code,
                "state": contract.state,
                "in_use_at": contract.in_use_at,
                "terminated_at": contract.terminated_at,
                "termination": contract.termination,
            },
        )
    state = "in_use" if town.service_in_use else "reset"
    yield "subscription_service", {"pg_code": PG, "state": state, "in_use_at": town.service_in_use_at}
    yield from _switches(town)
    for channel, balance in town.credits.items():
        yield "message_credit", {"channel": channel, "balance": balance}
    yield "shipping_policy", {"shop_no": 1, "base_fee": town.base_fee, "free_over": town.free_over}
    for first, last, fee in town.region_fees:
        yield "shipping_region_fee", {"zipcode_from": first, "zipcode_to": last, "extra_fee": fee}


def _switches(town: Town) -> Iterator[tuple[str, Row]]:
    """A type without a row is on: only what is off has one."""
    for kind in CHARGE_KINDS:
        customer, operator = (kind, "customer", "mail"), (kind, "operator", "mail")
        if {customer, operator} & town.switched_off:
            on = {"use_customer": customer, "use_admin": operator}
            flags = {column: _flag(each not in town.switched_off) for column, each in on.items()}
            yield "automail_setting", {"type_code": f"subscription_{kind}", **flags}
    if ("payment_notice", "customer", "sms") in town.switched_off:
        yield "automessage_setting", {"type_code": "subscription_payment_notice", "use_customer": "F"}


def _flag(value: bool) -> str:
    return "T" if value else "F"


def _product(product: Product) -> Row:
    """Deleted, hidden or no longer sold: which of them, the number of the product says."""
    gone = (product.is_on_sale, product.product_no % 3)
    return {
        "product_no": product.product_no,
        "price": product.price,
        "product_type": "B" if product.is_set else "S",
        "one_plus_n": _flag(product.one_plus_n),
        "selling": _flag(gone != (False, 0)),
        "display": _flag(gone != (False, 1)),
        "deleted_at": LONG_AGO if gone == (False, 2) else None,
        "sold_out": _flag(product.sold_out),
        "stock_quantity": product.stock,
    }


def _setting(setting: Setting) -> Iterator[tuple[str, Row]]:
    number = setting.setting_no
    yield (
        "subscription_setting",
        {
            "subscription_no": number,
            "use_discount": _flag(bool(setting.steps)),
            "discount_value_unit": setting.unit,
            "related_purchase_quantity": _flag(setting.per_piece),
            "use_order_price_condition": _flag(setting.threshold is not None),
            "order_price_greater_than": setting.threshold or 0,
            "include_regional_shipping_rate": _flag(setting.waives_region_fee),
        },
    )
    for step, discount in setting.steps.items():
        key = {"subscription_no": number, "delivery_cycle": step}
        yield "subscription_setting_discount", {**key, "discount_amount": discount}
    for product_no in setting.products:
        yield "subscription_setting_product", {"product_no": product_no, "subscription_no": number}


def _card(card: Card) -> Row:
    return {
        "card_id": card.card_id,
        "member_id": card.member_id,
        "pg_code": card.pg_code,
        "billing_key": billing_key(card.card_id),
        "registered_at": card.registered_at,
    }


def _subscription(subscription: Subscription) -> Row:
    return {
        "subscription_id": subscription.subscription_id,
        "member_id": subscription.member_id,
        "subscription_state": subscription.state,
        "pg_code": subscription.pg_code,
        "card_id": subscription.card_id,
        "backup_card_id": subscription.backup_card_id,
        "buyer_email": subscription.email,
        "buyer_cellphone": subscription.cellphone,
        "receiver_name": subscription.receiver_name,
        "receiver_zipcode": subscription.zipcode,
        "created_date": subscription.created_at,
        "terminated_reason": subscription.terminated_reason,
    }


def _item(subscription_id: str, item: Item) -> Row:
    return {
        "subscription_item_id": item.item_id,
        "subscription_id": subscription_id,
        "product_no": item.product_no,
        "quantity": item.quantity,
        "product_price": item.product_price,
        "option_price": item.option_price,
        "shipping_payment_option": item.shipping,
        "subscription_shipments_cycle": item.cycle,
        "start_date": item.start_date,
        "subscription_shipments_sequence": item.round_no,
        "max_delivery_limit": item.max_rounds,
        "subscription_state": item.state,
        "expected_delivery_date": item.delivery_on,
        "expected_pay_date": item.delivery_on - timedelta(days=1),
    }


def order_row(order: Order) -> Row:
    """Return an order's columns; its id is known of those only that the shop wrote."""
    return {
        "subscription_id": order.subscription_id,
        "delivery_date": order.delivery_on,
        "sequence": max(line.round_no for line in order.lines),
        "receiver_name": order.receiver_name,
        "payment_amount": order.amount,
        "paid_at": order.paid_at,
    }


def order_lines(order: Order) -> dict[int, Row]:
    """Return the lines of an order by item."""
    return {
        line.item_id: {
            "sequence": line.round_no,
            "unit_price": line.unit_price,
            "quantity": line.quantity,
            "amount": line.amount,
        }
        for line in order.lines
    }


def order_key(order: Order) -> tuple[str, date]:
    return (order.subscription_id, order.delivery_on)
