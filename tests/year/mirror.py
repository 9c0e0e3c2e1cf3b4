"""Writes a town into the shop's tables and the simulators, and later what the storefront changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, column, delete, insert, update
from sqlalchemy import table as named_table

from lib.sandbox import Card as SimulatedCard
from tests.rig import Rig
from tests.town import Answer, Card, Order, Town
from tests.year.tables import (
    KEYS,
    LONG_AGO,
    Key,
    Row,
    Tables,
    billing_key,
    order_lines,
    order_row,
    tables,
)

MUCH_MONEY_KRW = 10**9
BLOCKED_NUMBER = "1060"
CODES: Mapping[Answer, Sequence[str]] = {
    "approve": ("approve",),
    "soft": ("REJECT_CARD_PAYMENT", "EXCEED_MAX_AMOUNT", "REJECT_CARD_COMPANY"),
    "hard": ("INVALID_STOPPED_CARD", "INVALID_CARD_EXPIRATION", "INVALID_CARD_LOST_OR_STOLEN"),
}
"""How a simulated card says what the town says; which word, the number of the card says."""

_NAME: Row = {"product_name": "에티오피아 예가체프 200g"}
_RECEIVER: Row = {
    "receiver_zipcode": "06236",
    "receiver_address1": "서울특별시 강남구 테헤란로 152",
    "receiver_cellphone": "01020005678",
}
USUAL: Mapping[str, Row] = {
    "shop": {
        "operator_email": "operator@example.com",
        "sender_email": "no-reply@example.com",
        "sender_phone": "0215440000",
        "homepage_url": "https://shop.example.com",
    },
    "pg_contract": {"merchant_id": "simulated", "applied_at": LONG_AGO},
    "subscription_service": {"applied_at": LONG_AGO},
    "member": {"name": "김하늘"},
    "product": {"product_code": "P0000001", **_NAME},
    "subscription_setting": {
        "subscription_shipments_name": "원두 정기배송",
        "subscription_shipments_cycle": "1W,2W,4W,1M",
    },
    "card": {"customer_key": "customer", "card_company": "국민", "masked_number": "4330-12**-****-1001"},
    "subscription": {"buyer_name": "김하늘", **_RECEIVER},
    "subscription_item": _NAME,
    "orders": {
        "member_id": "",
        "buyer_name": "김하늘",
        "items_amount": 0,
        "discount_amount": 0,
        "shipping_fee": 0,
        "pg_code": "",
        **_RECEIVER,
    },
    "order_item": {"product_no": 1, **_NAME},
}
"""Columns that no rule asks about."""


@dataclass(frozen=True)
class Snapshot:
    """A town as it stood: its rows, how many orders it had and how its cards and numbers answered."""

    tables: Tables
    orders: int
    answers: Mapping[int, Answer]
    refused_numbers: frozenset[str]


NOTHING = Snapshot({name: {} for name in KEYS}, 0, {}, frozenset())


def snapshot(town: Town) -> Snapshot:
    answers = {card.card_id: card.answer for card in town.cards.values()}
    return Snapshot(tables(town), len(town.orders), answers, frozenset(town.refused_numbers))


@dataclass
class Mirror:
    """The shop's tables and simulators of one rig."""

    rig: Rig

    def bring(self, before: Snapshot, town: Town) -> None:
        """Change in the tables what differs between the town then and now, row by row."""
        after = snapshot(town)
        with self.rig.home.shop.begin() as connection:
            for name in KEYS:
                _bring_table(connection, name, before.tables[name], after.tables[name])
            for order in town.orders[before.orders :]:
                _put_order(connection, order)
        self._teach_simulators(before, after, town)
        if after.tables["message_credit"] != before.tables["message_credit"]:
            self.rig.remember_credits()

    def _teach_simulators(self, before: Snapshot, after: Snapshot, town: Town) -> None:
        sandbox = self.rig.sandbox
        changed = [no for no, answer in after.answers.items() if before.answers.get(no) != answer]
        sandbox.toss.register(*(_simulated(town.cards[card_id]) for card_id in changed))
        if after.refused_numbers != before.refused_numbers or not before.tables["shop"]:
            refused = dict.fromkeys(sorted(after.refused_numbers), BLOCKED_NUMBER)
            sandbox.solapi.switches = replace(
                sandbox.solapi.switches, refused=refused, balance_krw=MUCH_MONEY_KRW
            )


def _simulated(card: Card) -> SimulatedCard:
    codes = CODES[card.answer]
    return SimulatedCard(billing_key(card.card_id), script=(codes[card.card_id % len(codes)],))


def _bring_table(
    connection: Connection, name: str, before: Mapping[Key, Row], after: Mapping[Key, Row]
) -> None:
    for key in before.keys() - after.keys():
        _delete(connection, name, key)
    _insert(connection, name, [row for key, row in after.items() if key not in before])
    for key, row in after.items():
        if key in before and before[key] != row:
            changed = {column: value for column, value in row.items() if before[key][column] != value}
            _update(connection, name, key, changed)


def _insert(connection: Connection, name: str, rows: Iterable[Row]) -> None:
    full = [{**USUAL.get(name, {}), **row} for row in rows]
    if full:
        connection.execute(insert(named_table(name, *map(column, full[0]))), full)


def _update(connection: Connection, name: str, key: Key, changed: Row) -> None:
    target = named_table(name, *map(column, {*KEYS[name], *changed}))
    where = [target.c[part] == value for part, value in zip(KEYS[name], key, strict=True)]
    connection.execute(update(target).where(*where).values(changed))


def _delete(connection: Connection, name: str, key: Key) -> None:
    target = named_table(name, *map(column, KEYS[name]))
    where = [target.c[part] == value for part, value in zip(KEYS[name], key, strict=True)]
    connection.execute(delete(target).where(*where))


def _put_order(connection: Connection, order: Order) -> None:
    """Write an order that is the shop's own: from before the jobs, or entered by hand."""
    order_id = f"SHOP-{order.subscription_id}-{order.delivery_on:%Y%m%d}"
    _insert(connection, "orders", [{"order_id": order_id, **order_row(order)}])
    lines = [
        {"order_id": order_id, "line_no": number, "subscription_item_id": item_id, **line}
        for number, (item_id, line) in enumerate(order_lines(order).items(), 1)
    ]
    _insert(connection, "order_item", lines)
