"""Typed reads of subscriptions, items, products, prices, orders and cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeVar, cast

from lib.billing import texts
from lib.billing.invoice import Consent, OrderedPrice, Setting
from lib.billing.rounds import Goods
from lib.dialect import as_date, as_datetime
from lib.gateways import Card
from lib.store import Row, Transaction

Channel = Literal["mail", "sms"]
Recipient = Literal["customer", "operator"]

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Subscription:
    """An application (신청건) with its member."""

    subscription_id: str
    member_id: str
    state: str
    pg_code: str
    card_id: int | None
    backup_card_id: int | None
    name: str
    mail: str | None
    """Where the customer's mail goes: the application's address, else the member's, if either is usable."""
    mobile: str | None
    is_withdrawn: bool
    created_at: datetime
    """The shop's local time."""
    receiver: Receiver

    def address(self, channel: Channel) -> str | None:
        """Return where the customer is reached on a channel, or None."""
        return self.mail if channel == "mail" else self.mobile


@dataclass(frozen=True)
class Receiver:
    """Where the goods go, as of the moment it was read."""

    name: str
    zipcode: str
    address1: str
    address2: str
    phone: str
    message: str


@dataclass(frozen=True)
class Item:
    """A product line of a subscription, as stored."""

    item_id: int
    subscription_id: str
    product_no: int
    variants_code: str
    product_name: str
    option_value: str
    quantity: int
    applied_price: int
    option_price: int
    shipping: Literal["prepaid", "free", "collect"]
    cycle: str
    start_date: date
    round_no: int
    max_rounds: int
    state: str
    delivery_on: date


def read_subscriptions(tx: Transaction, ids: Iterable[str]) -> dict[str, Subscription]:
    """Read subscriptions by their id."""
    return _by_key(tx, "subscriptions_by_id", ids, lambda row: (row["subscription_id"], _subscription(row)))


def _subscription(row: Row) -> Subscription:
    return Subscription(
        subscription_id=row["subscription_id"],
        member_id=row["member_id"],
        state=row["state"],
        pg_code=row["pg_code"],
        card_id=row["card_id"],
        backup_card_id=row["backup_card_id"],
        name=texts.clean(row["buyer_name"]) or texts.clean(row["member_name"] or ""),
        mail=texts.mail_address(row["buyer_email"]) or texts.mail_address(row["member_email"] or ""),
        mobile=texts.mobile_number(row["buyer_phone"]) or texts.mobile_number(row["member_phone"] or ""),
        is_withdrawn=bool(row["is_withdrawn"]),
        created_at=as_datetime(row["created_at"]),
        receiver=Receiver(
            row["receiver_name"],
            row["receiver_zipcode"],
            row["receiver_address1"],
            row["receiver_address2"],
            row["receiver_phone"],
            row["shipping_message"],
        ),
    )


def read_due_items(tx: Transaction, ids: Iterable[str], horizon: date) -> list[Item]:
    """Read the items in use that are due until `horizon` and in no open round."""
    wanted = list(ids)
    return [_item(row) for row in tx.rows("due_items", ids=wanted, horizon=horizon)] if wanted else []


def read_items(tx: Transaction, ids: Iterable[int]) -> dict[int, Item]:
    """Read items by their id, as they are stored now."""
    return _by_key(tx, "items_by_id", ids, lambda row: (row["item_id"], _item(row)))


def _item(row: Row) -> Item:
    return Item(
        item_id=row["item_id"],
        subscription_id=row["subscription_id"],
        product_no=row["product_no"],
        variants_code=row["variants_code"],
        product_name=row["product_name"],
        option_value=row["option_value"],
        quantity=row["quantity"],
        applied_price=row["applied_price"],
        option_price=row["option_price"],
        shipping=cast("Literal['prepaid', 'free', 'collect']", row["shipping"]),
        cycle=row["cycle"],
        start_date=as_date(row["start_date"]),
        round_no=row["round_no"],
        max_rounds=row["max_rounds"],
        state=row["state"],
        delivery_on=as_date(row["delivery_on"]),
    )


def read_goods(tx: Transaction, ids: Iterable[int]) -> dict[int, Goods]:
    """Read products by their number."""
    return _by_key(
        tx,
        "products_by_no",
        ids,
        lambda row: (
            row["product_no"],
            Goods(
                row["price"],
                row["excluded_reason"],
                bool(row["is_on_sale"]),
                bool(row["is_sold_out"]),
                row["stock_quantity"],
            ),
        ),
    )


def read_settings(tx: Transaction, product_nos: Iterable[int]) -> dict[int, Setting]:
    """Read the discount setting of each product; one that uses no discount has no steps."""
    wanted = list(product_nos)
    rows = tx.rows("settings_by_product", ids=wanted) if wanted else []
    discounting = sorted({row["setting_no"] for row in rows if row["has_discount"]})
    steps: dict[int, list[tuple[int, int]]] = {}
    for row in tx.rows("setting_steps", ids=discounting) if discounting else []:
        steps.setdefault(row["setting_no"], []).append((row["from_round"], row["discount"]))
    return {
        row["product_no"]: Setting(
            row["setting_no"],
            cast("Literal['percent', 'won']", row["unit"]),
            bool(row["is_per_piece"]),
            row["threshold"],
            bool(row["waives_region_fee"]),
            tuple(sorted(steps.get(row["setting_no"], []))),
        )
        for row in rows
    }


def read_consents(tx: Transaction, item_ids: Iterable[int]) -> dict[int, list[Consent]]:
    """Read the consents to higher prices by item."""
    found: dict[int, list[Consent]] = {}
    wanted = list(item_ids)
    for row in tx.rows("consents_by_item", ids=wanted) if wanted else []:
        found.setdefault(row["item_id"], []).append(Consent(row["unit_price"], as_datetime(row["agreed_at"])))
    return found


def read_newest_prices(tx: Transaction, item_ids: Iterable[int]) -> dict[int, OrderedPrice]:
    """Read the unit price of each item's newest order line."""
    return _by_key(
        tx,
        "newest_order_lines",
        item_ids,
        lambda row: (row["item_id"], OrderedPrice(row["unit_price"], as_datetime(row["paid_at"]))),
    )


def read_orders_since(tx: Transaction, ids: Iterable[str], since: date) -> dict[tuple[str, date], str]:
    """Read which rounds, by subscription and date from `since` on, the shop has an order for, and its id."""
    wanted = list(ids)
    rows = tx.rows("orders_on", ids=wanted, since=since) if wanted else []
    return {(row["subscription_id"], as_date(row["delivery_on"])): row["order_id"] for row in rows}


def read_order_lines_since(
    tx: Transaction, item_ids: Iterable[int], since: date
) -> dict[tuple[int, date], str]:
    """Read for which dates from `since` on items have an order line, and the order's id."""
    wanted = list(item_ids)
    rows = tx.rows("order_lines_on", ids=wanted, since=since) if wanted else []
    return {(row["item_id"], as_date(row["delivery_on"])): row["order_id"] for row in rows}


def read_cards(tx: Transaction, ids: Iterable[int | None]) -> dict[int, Card]:
    """Read stored cards by their id; a missing one is missing in the answer."""
    return _by_key(
        tx,
        "cards_by_id",
        (each for each in ids if each is not None),
        lambda row: (row["card_id"], card_of(row)),
    )


def card_of(row: Row) -> Card:
    """Read a row of v_card."""
    return Card(
        card_id=row["card_id"],
        member_id=row["member_id"],
        pg_code=row["pg_code"],
        billing_key=row["billing_key"],
        customer_key=row["customer_key"] or "",
        masked_number=row["masked_number"],
        registered_at=as_datetime(row["registered_at"]),
    )


def _by_key(
    tx: Transaction, name: str, ids: Iterable[object], make: Callable[[Row], tuple[K, V]]
) -> dict[K, V]:
    wanted = sorted(set(ids), key=str)
    return dict(make(row) for row in tx.rows(name, ids=wanted)) if wanted else {}
